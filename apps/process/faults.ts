/**
 * What a front-end may ask of the supervisor that started it: to kill or to freeze an order replica, so that people can
 * watch a failover. The messages go over the channel that a parent and its child have to themselves; without one, or
 * without the supervisor's word in the environment, nothing is offered.
 */

import { type FaultKind, faultKinds } from "@stock-bazaar/contract/faults";

/** Set to "1" by a supervisor that takes `FaultRequest`s from this process. */
export const faultsVariable = "BAZAAR_FAULTS";

/** How long a frozen replica stays so. */
export const frozenMs = 10_000;
/** A replica that was killed on request is away for this long, so that people can see what happens without it. */
export const killedMs = 3000;

export interface FaultRequest {
  readonly sequence: number;
  readonly fault: FaultKind;
  readonly replica: number;
}

export interface FaultReply {
  readonly sequence: number;
  /** False: it doesn't run. */
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
