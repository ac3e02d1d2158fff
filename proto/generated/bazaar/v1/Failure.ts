// From common.proto

import type { ErrorCode as _bazaar_v1_ErrorCode, ErrorCode__Output as _bazaar_v1_ErrorCode__Output } from '../../bazaar/v1/ErrorCode.ts';

export interface Failure {
  'code'?: (_bazaar_v1_ErrorCode);
  'message'?: (string);
}

export interface Failure__Output {
  'code': (_bazaar_v1_ErrorCode__Output);
  'message': (string);
}
