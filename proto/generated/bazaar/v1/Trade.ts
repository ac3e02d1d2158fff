// From common.proto


export interface Trade {
  'key'?: (string);
  'name'?: (string);
  'type'?: (string);
  'quantity'?: (number);
  'requestId'?: (string);
}

export interface Trade__Output {
  'key': (string);
  'name': (string);
  'type': (string);
  'quantity': (number);
  'requestId': (string);
}
