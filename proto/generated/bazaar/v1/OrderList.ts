// From common.proto

import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from '../../bazaar/v1/Order.ts';

export interface OrderList {
  'orders'?: (_bazaar_v1_Order)[];
}

export interface OrderList__Output {
  'orders': (_bazaar_v1_Order__Output)[];
}
