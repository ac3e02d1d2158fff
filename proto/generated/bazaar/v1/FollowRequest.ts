// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface FollowRequest {
  'replica'?: (number);
  'lastId'?: (number | string | Long);
  'lastKey'?: (string);
}

export interface FollowRequest__Output {
  'replica': (number);
  'lastId': (number);
  'lastKey': (string);
}
