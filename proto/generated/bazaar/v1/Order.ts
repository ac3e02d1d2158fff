// From common.proto

import type { Long } from '@grpc/proto-loader';

export interface Order {
  'id'?: (number | string | Long);
  'key'?: (string);
  'name'?: (string);
  'type'?: (string);
  'quantity'?: (number);
  'priceCents'?: (number | string | Long);
  'term'?: (number | string | Long);
  'createdAt'?: (string);
}

export interface Order__Output {
  'id': (number);
  'key': (string);
  'name': (string);
  'type': (string);
  'quantity': (number);
  'priceCents': (number);
  'term': (number);
  'createdAt': (string);
}
