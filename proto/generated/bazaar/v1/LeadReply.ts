// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface LeadReply {
  'term'?: (number | string | Long);
}

export interface LeadReply__Output {
  'term': (number);
}
