// From orders.proto

import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from '../../bazaar/v1/OrderColumns.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from '../../bazaar/v1/Trace.ts';
import type { Long } from '@grpc/proto-loader';

export interface FollowReply {
  'term'?: (number | string | Long);
  'orders'?: (_bazaar_v1_OrderColumns | null);
  'traces'?: (_bazaar_v1_Trace)[];
}

export interface FollowReply__Output {
  'term': (number);
  'orders': (_bazaar_v1_OrderColumns__Output | null);
  'traces': (_bazaar_v1_Trace__Output)[];
}
