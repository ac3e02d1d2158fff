// From catalog.proto

import type { OutcomeColumns as _bazaar_v1_OutcomeColumns, OutcomeColumns__Output as _bazaar_v1_OutcomeColumns__Output } from '../../bazaar/v1/OutcomeColumns.ts';
import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from '../../bazaar/v1/OrderColumns.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from '../../bazaar/v1/Failure.ts';
import type { Long } from '@grpc/proto-loader';

export interface Applied {
  'outcomes'?: (_bazaar_v1_OutcomeColumns | null);
  'orders'?: (_bazaar_v1_OrderColumns | null);
  'head'?: (number | string | Long);
  'failure'?: (_bazaar_v1_Failure | null);
  'sequence'?: (number | string | Long);
}

export interface Applied__Output {
  'outcomes': (_bazaar_v1_OutcomeColumns__Output | null);
  'orders': (_bazaar_v1_OrderColumns__Output | null);
  'head': (number);
  'failure': (_bazaar_v1_Failure__Output | null);
  'sequence': (number);
}
