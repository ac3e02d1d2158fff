// From orders.proto

import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from '../../bazaar/v1/OrderColumns.ts';
import type { Long } from '@grpc/proto-loader';

export interface FollowReply {
  'term'?: (number | string | Long);
  'orders'?: (_bazaar_v1_OrderColumns | null);
}

export interface FollowReply__Output {
  'term': (number);
  'orders': (_bazaar_v1_OrderColumns__Output | null);
}
