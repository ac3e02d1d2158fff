// From common.proto

import type { Texts as _bazaar_v1_Texts, Texts__Output as _bazaar_v1_Texts__Output } from '../../bazaar/v1/Texts.ts';

export interface TradeColumns {
  'keys'?: (_bazaar_v1_Texts | null);
  'requestIds'?: (_bazaar_v1_Texts | null);
  'words'?: (_bazaar_v1_Texts | null);
  'names'?: (Buffer | Uint8Array | string);
  'types'?: (Buffer | Uint8Array | string);
  'quantities'?: (Buffer | Uint8Array | string);
}

export interface TradeColumns__Output {
  'keys': (_bazaar_v1_Texts__Output | null);
  'requestIds': (_bazaar_v1_Texts__Output | null);
  'words': (_bazaar_v1_Texts__Output | null);
  'names': (Buffer);
  'types': (Buffer);
  'quantities': (Buffer);
}
