// From orders.proto

import type { Role as _bazaar_v1_Role, Role__Output as _bazaar_v1_Role__Output } from '../../bazaar/v1/Role.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReplicaStatus {
  'replica'?: (number);
  'role'?: (_bazaar_v1_Role);
  'term'?: (number | string | Long);
  'leader'?: (number);
  'lastId'?: (number | string | Long);
  'liveFollowers'?: (number)[];
}

export interface ReplicaStatus__Output {
  'replica': (number);
  'role': (_bazaar_v1_Role__Output);
  'term': (number);
  'leader': (number);
  'lastId': (number);
  'liveFollowers': (number)[];
}
