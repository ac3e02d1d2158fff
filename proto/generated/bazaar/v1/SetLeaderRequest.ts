// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface SetLeaderRequest {
  'term'?: (number | string | Long);
  'leader'?: (number);
}

export interface SetLeaderRequest__Output {
  'term': (number);
  'leader': (number);
}
