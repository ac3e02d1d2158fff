// From orders.proto

import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from '../../bazaar/v1/Order.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from '../../bazaar/v1/Trace.ts';
import type { Long } from '@grpc/proto-loader';

export interface FollowReply {
  'term'?: (number | string | Long);
  'orders'?: (_bazaar_v1_Order)[];
  'traces'?: (_bazaar_v1_Trace)[];
}

export interface FollowReply__Output {
  'term': (number);
  'orders': (_bazaar_v1_Order__Output)[];
  'traces': (_bazaar_v1_Trace__Output)[];
}
