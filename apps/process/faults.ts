/**
 * Requests of a front-end to its supervisor: to kill or freeze an order replica, so that people can watch a failover.
 *
 * The messages use the private channel between a parent process and its child. Faults are offered only if that channel
 * exists and the supervisor has set `BAZAAR_FAULTS`.
 */

import { type FaultKind, faultKinds } from "@stock-bazaar/contract/faults";

/** Set to "1" by a supervisor that accepts a `FaultRequest` from this process. */
export const faultsVariable = "BAZAAR_FAULTS";

/** How long a freeze lasts. */
export const frozenMs = 10_000;
/** How long a killed replica stays down, so that people can see what happens without it. */
export const killedMs = 3000;

export interface FaultRequest {
  readonly sequence: number;
  readonly fault: FaultKind;
  readonly replica: number;
}

export interface FaultReply {
  readonly sequence: number;
  /** False if the replica isn't running. */
  readonly done: boolean;
}

export function isFaultRequest(message: unknown): message is FaultRequest {
  if (typeof message !== "object" || message === null) return false;
  const { sequence, fault, replica } = message as Record<string, unknown>;
  return Number.isInteger(sequence) && Number.isInteger(replica) && faultKinds.some((kind) => kind === fault);
}

export function isFaultReply(message: unknown): message is FaultReply {
  if (typeof message !== "object" || message === null) return false;
  const { sequence, done } = message as Record<string, unknown>;
  return Number.isInteger(sequence) && typeof done === "boolean";
}
