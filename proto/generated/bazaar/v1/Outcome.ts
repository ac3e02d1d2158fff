// From common.proto

import type { ErrorCode as _bazaar_v1_ErrorCode, ErrorCode__Output as _bazaar_v1_ErrorCode__Output } from '../../bazaar/v1/ErrorCode.ts';
import type { Long } from '@grpc/proto-loader';

export interface Outcome {
  'orderId'?: (number | string | Long);
  'error'?: (_bazaar_v1_ErrorCode);
  'replayed'?: (boolean);
}

export interface Outcome__Output {
  'orderId': (number);
  'error': (_bazaar_v1_ErrorCode__Output);
  'replayed': (boolean);
}
