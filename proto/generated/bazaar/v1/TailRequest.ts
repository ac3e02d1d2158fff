// From catalog.proto

import type { TailKind as _bazaar_v1_TailKind, TailKind__Output as _bazaar_v1_TailKind__Output } from '../../bazaar/v1/TailKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface TailRequest {
  'session'?: (string);
  'kind'?: (_bazaar_v1_TailKind);
  'acked'?: (number | string | Long);
  'sequence'?: (number);
  'replaces'?: (string);
}

export interface TailRequest__Output {
  'session': (string);
  'kind': (_bazaar_v1_TailKind__Output);
  'acked': (number);
  'sequence': (number);
  'replaces': (string);
}
