/**
 * Requests of a front-end to its supervisor: to kill or freeze an order replica or a catalog, so that people can watch a
 * failover.
 *
 * The messages use the private channel between a parent process and its child. Faults are offered only if that channel
 * exists and the supervisor has set `BAZAAR_FAULTS`.
 */

import { type FaultKind, faultKinds } from "@stock-bazaar/contract/faults";

/** Set to "1" by a supervisor that accepts a `FaultRequest` from this process. */
export const faultsVariable = "BAZAAR_FAULTS";

/** How long a freeze lasts. */
export const frozenMs = 10_000;
/** How long a killed process stays down, so that people can see what happens without it. */
export const killedMs = 3000;

export interface FaultTarget {
  readonly kind: (typeof targetKinds)[number];
  /** The id of a replica; of a catalog its place in CATALOG_ADDRESSES, from 1. */
  readonly number: number;
}

const targetKinds = ["replica", "catalog"] as const;

export interface FaultRequest {
  readonly sequence: number;
  readonly fault: FaultKind;
  readonly target: FaultTarget;
}

export interface FaultReply {
  readonly sequence: number;
  /** False if the process isn't running. */
  readonly done: boolean;
}

export function isFaultRequest(message: unknown): message is FaultRequest {
  if (typeof message !== "object" || message === null) return false;
  const { sequence, fault, target } = message as Record<string, unknown>;
  return Number.isInteger(sequence) && isTarget(target) && faultKinds.some((kind) => kind === fault);
}

function isTarget(value: unknown): value is FaultTarget {
  if (typeof value !== "object" || value === null) return false;
  const { kind, number } = value as Record<string, unknown>;
  return Number.isInteger(number) && targetKinds.some((known) => known === kind);
}

export function isFaultReply(message: unknown): message is FaultReply {
  if (typeof message !== "object" || message === null) return false;
  const { sequence, done } = message as Record<string, unknown>;
  return Number.isInteger(sequence) && typeof done === "boolean";
}
