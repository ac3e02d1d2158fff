// From common.proto

import type { Texts as _bazaar_v1_Texts, Texts__Output as _bazaar_v1_Texts__Output } from '../../bazaar/v1/Texts.ts';
import type { Long } from '@grpc/proto-loader';

export interface OrderColumns {
  'firstId'?: (number | string | Long);
  'keys'?: (_bazaar_v1_Texts | null);
  'words'?: (_bazaar_v1_Texts | null);
  'names'?: (Buffer | Uint8Array | string);
  'createdAts'?: (Buffer | Uint8Array | string);
  'types'?: (Buffer | Uint8Array | string);
  'quantities'?: (Buffer | Uint8Array | string);
  'pricesCents'?: (Buffer | Uint8Array | string);
  'terms'?: (Buffer | Uint8Array | string);
}

export interface OrderColumns__Output {
  'firstId': (number);
  'keys': (_bazaar_v1_Texts__Output | null);
  'words': (_bazaar_v1_Texts__Output | null);
  'names': (Buffer);
  'createdAts': (Buffer);
  'types': (Buffer);
  'quantities': (Buffer);
  'pricesCents': (Buffer);
  'terms': (Buffer);
}
