// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface LookupRequest {
  'names'?: (string)[];
  'sequence'?: (number | string | Long);
}

export interface LookupRequest__Output {
  'names': (string)[];
  'sequence': (number);
}
