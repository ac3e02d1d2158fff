// From catalog.proto

import type { Trade as _bazaar_v1_Trade, Trade__Output as _bazaar_v1_Trade__Output } from '../../bazaar/v1/Trade.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from '../../bazaar/v1/Trace.ts';
import type { Long } from '@grpc/proto-loader';

export interface ApplyRequest {
  'term'?: (number | string | Long);
  'trades'?: (_bazaar_v1_Trade)[];
  'traces'?: (_bazaar_v1_Trace)[];
  'sequence'?: (number | string | Long);
}

export interface ApplyRequest__Output {
  'term': (number);
  'trades': (_bazaar_v1_Trade__Output)[];
  'traces': (_bazaar_v1_Trace__Output)[];
  'sequence': (number);
}
