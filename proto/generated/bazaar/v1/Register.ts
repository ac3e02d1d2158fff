// From catalog.proto

import type { Long } from '@grpc/proto-loader';

export interface Register {
  'term'?: (number | string | Long);
  'leader'?: (number);
  'head'?: (number | string | Long);
}

export interface Register__Output {
  'term': (number);
  'leader': (number);
  'head': (number);
}
