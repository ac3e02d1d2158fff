// From catalog.proto

export const TailKind = {
  HELLO: 'HELLO',
  RENEW: 'RENEW',
  ACK: 'ACK',
  GOODBYE: 'GOODBYE',
} as const;

export type TailKind =
  | 'HELLO'
  | 0
  | 'RENEW'
  | 1
  | 'ACK'
  | 2
  | 'GOODBYE'
  | 3

export type TailKind__Output = typeof TailKind[keyof typeof TailKind]
