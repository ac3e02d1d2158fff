// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface GetOrderRequest {
  'id'?: (number | string | Long);
  'sequence'?: (number | string | Long);
}

export interface GetOrderRequest__Output {
  'id': (number);
  'sequence': (number);
}
