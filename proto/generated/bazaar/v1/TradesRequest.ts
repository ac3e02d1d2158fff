// From orders.proto

import type { TradeColumns as _bazaar_v1_TradeColumns, TradeColumns__Output as _bazaar_v1_TradeColumns__Output } from '../../bazaar/v1/TradeColumns.ts';
import type { Long } from '@grpc/proto-loader';

export interface TradesRequest {
  'trades'?: (_bazaar_v1_TradeColumns | null);
  'sequence'?: (number | string | Long);
}

export interface TradesRequest__Output {
  'trades': (_bazaar_v1_TradeColumns__Output | null);
  'sequence': (number);
}
