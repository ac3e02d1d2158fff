// From orders.proto

import type { Long } from '@grpc/proto-loader';

export interface LeadRequest {
  'afterTerm'?: (number | string | Long);
}

export interface LeadRequest__Output {
  'afterTerm': (number);
}
