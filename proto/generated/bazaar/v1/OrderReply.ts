// From orders.proto

import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from '../../bazaar/v1/Order.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface OrderReply {
  'order'?: (_bazaar_v1_Order | null);
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface OrderReply__Output {
  'order': (_bazaar_v1_Order__Output | null);
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
