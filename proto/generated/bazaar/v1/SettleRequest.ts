// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface SettleRequest {
  'upTo'?: (number | string | Long);
  'sequence'?: (number | string | Long);
}

export interface SettleRequest__Output {
  'upTo': (number);
  'sequence': (number);
}
