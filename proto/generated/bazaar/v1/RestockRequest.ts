// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface RestockRequest {
  'term'?: (number | string | Long);
  'quantity'?: (number);
}

export interface RestockRequest__Output {
  'term': (number);
  'quantity': (number);
}
