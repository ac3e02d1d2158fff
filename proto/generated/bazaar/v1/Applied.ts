// From catalog.proto

import type { Outcome as _bazaar_v1_Outcome, Outcome__Output as _bazaar_v1_Outcome__Output } from '../../bazaar/v1/Outcome.ts';
import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from '../../bazaar/v1/Order.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface Applied {
  'outcomes'?: (_bazaar_v1_Outcome)[];
  'orders'?: (_bazaar_v1_Order)[];
  'head'?: (number | string | Long);
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface Applied__Output {
  'outcomes': (_bazaar_v1_Outcome__Output)[];
  'orders': (_bazaar_v1_Order__Output)[];
  'head': (number);
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
