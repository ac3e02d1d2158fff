// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface OrdersAfterRequest {
  'afterId'?: (number | string | Long);
  'limit'?: (number);
}

export interface OrdersAfterRequest__Output {
  'afterId': (number);
  'limit': (number);
}
