// From orders.proto

import type { OutcomeColumns as _bazaar_v1_OutcomeColumns, OutcomeColumns__Output as _bazaar_v1_OutcomeColumns__Output } from '../../bazaar/v1/OutcomeColumns.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface TradesReply {
  'outcomes'?: (_bazaar_v1_OutcomeColumns | null);
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface TradesReply__Output {
  'outcomes': (_bazaar_v1_OutcomeColumns__Output | null);
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
