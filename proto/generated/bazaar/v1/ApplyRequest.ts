// From catalog.proto

import type { TradeColumns as _bazaar_v1_TradeColumns, TradeColumns__Output as _bazaar_v1_TradeColumns__Output } from '../../bazaar/v1/TradeColumns.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from '../../bazaar/v1/Trace.ts';
import type { Long } from '@grpc/proto-loader';

export interface ApplyRequest {
  'term'?: (number | string | Long);
  'trades'?: (_bazaar_v1_TradeColumns | null);
  'traces'?: (_bazaar_v1_Trace)[];
  'sequence'?: (number | string | Long);
}

export interface ApplyRequest__Output {
  'term': (number);
  'trades': (_bazaar_v1_TradeColumns__Output | null);
  'traces': (_bazaar_v1_Trace__Output)[];
  'sequence': (number);
}
