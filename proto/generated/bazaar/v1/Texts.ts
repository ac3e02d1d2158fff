// From common.proto


export interface Texts {
  'text'?: (string);
  'lengths'?: (Buffer | Uint8Array | string);
}

export interface Texts__Output {
  'text': (string);
  'lengths': (Buffer);
}
