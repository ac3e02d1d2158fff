// From catalog.proto

import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface Settled {
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface Settled__Output {
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
