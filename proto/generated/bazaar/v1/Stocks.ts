// From catalog.proto

import type { Stock as _bazaar_v1_Stock, Stock__Output as _bazaar_v1_Stock__Output } from '../../bazaar/v1/Stock.ts';

export interface Stocks {
  'stocks'?: (_bazaar_v1_Stock)[];
}

export interface Stocks__Output {
  'stocks': (_bazaar_v1_Stock__Output)[];
}
