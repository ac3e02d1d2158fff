// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface AcquireRequest {
  'replica'?: (number);
  'term'?: (number | string | Long);
  'lastId'?: (number | string | Long);
  'lastKey'?: (string);
}

export interface AcquireRequest__Output {
  'replica': (number);
  'term': (number);
  'lastId': (number);
  'lastKey': (string);
}
