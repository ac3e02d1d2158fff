// From orders.proto

import type { Trade as _bazaar_v1_Trade, Trade__Output as _bazaar_v1_Trade__Output } from '../../bazaar/v1/Trade.ts';
import type { Long } from '@grpc/proto-loader';

export interface TradesRequest {
  'trades'?: (_bazaar_v1_Trade)[];
  'sequence'?: (number | string | Long);
}

export interface TradesRequest__Output {
  'trades': (_bazaar_v1_Trade__Output)[];
  'sequence': (number);
}
