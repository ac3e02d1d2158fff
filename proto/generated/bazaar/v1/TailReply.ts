// From catalog.proto

import type { Change as _bazaar_v1_Change, Change__Output as _bazaar_v1_Change__Output } from '../../bazaar/v1/Change.ts';
import type { Long } from '@grpc/proto-loader';

export interface TailReply {
  'sequence'?: (number);
  'head'?: (number | string | Long);
  'leaseMs'?: (number);
  'changes'?: (_bazaar_v1_Change)[];
  'previousHead'?: (number | string | Long);
}

export interface TailReply__Output {
  'sequence': (number);
  'head': (number);
  'leaseMs': (number);
  'changes': (_bazaar_v1_Change__Output)[];
  'previousHead': (number);
}
