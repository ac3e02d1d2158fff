// From common.proto


export interface Trace {
  'key'?: (string);
  'traceparent'?: (string);
}

export interface Trace__Output {
  'key': (string);
  'traceparent': (string);
}
