// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface Stock {
  'name'?: (string);
  'priceCents'?: (number | string | Long);
  'quantity'?: (number | string | Long);
  'volume'?: (number | string | Long);
  'rev'?: (number | string | Long);
}

export interface Stock__Output {
  'name': (string);
  'priceCents': (number);
  'quantity': (number);
  'volume': (number);
  'rev': (number);
}
