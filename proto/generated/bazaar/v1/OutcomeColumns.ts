// From common.proto


export interface OutcomeColumns {
  'kinds'?: (Buffer | Uint8Array | string);
  'replayed'?: (Buffer | Uint8Array | string);
  'orderIds'?: (Buffer | Uint8Array | string);
}

export interface OutcomeColumns__Output {
  'kinds': (Buffer);
  'replayed': (Buffer);
  'orderIds': (Buffer);
}
