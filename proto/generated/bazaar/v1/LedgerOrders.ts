// From catalog.proto

import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from '../../bazaar/v1/OrderColumns.ts';

export interface LedgerOrders {
  'orders'?: (_bazaar_v1_OrderColumns | null);
}

export interface LedgerOrders__Output {
  'orders': (_bazaar_v1_OrderColumns__Output | null);
}
