// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface Change {
  'name'?: (string);
  'rev'?: (number | string | Long);
}

export interface Change__Output {
  'name': (string);
  'rev': (number);
}
