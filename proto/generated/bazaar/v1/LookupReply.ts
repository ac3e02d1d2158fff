// From catalog.proto

import type { Stock as _bazaar_v1_Stock, Stock__Output as _bazaar_v1_Stock__Output } from '../../bazaar/v1/Stock.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface LookupReply {
  'stocks'?: (_bazaar_v1_Stock)[];
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface LookupReply__Output {
  'stocks': (_bazaar_v1_Stock__Output)[];
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
