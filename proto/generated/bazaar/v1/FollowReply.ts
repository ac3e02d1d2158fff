// From orders.proto

import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from '../../bazaar/v1/Order.ts';
import type { Long } from '@grpc/proto-loader';

export interface FollowReply {
  'term'?: (number | string | Long);
  'orders'?: (_bazaar_v1_Order)[];
}

export interface FollowReply__Output {
  'term': (number);
  'orders': (_bazaar_v1_Order__Output)[];
}
