// From orders.proto

export const Role = {
  FOLLOWER: 'FOLLOWER',
  TAKING_OVER: 'TAKING_OVER',
  LEADER: 'LEADER',
} as const;

export type Role =
  | 'FOLLOWER'
  | 0
  | 'TAKING_OVER'
  | 1
  | 'LEADER'
  | 2

export type Role__Output = typeof Role[keyof typeof Role]
