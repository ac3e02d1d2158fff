// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface ListOrdersRequest {
  'before'?: (number | string | Long);
  'limit'?: (number);
}

export interface ListOrdersRequest__Output {
  'before': (number);
  'limit': (number);
}
