/** Kills or freezes a replica or a catalog at a front-end's request. No other service can be named. */

import { frozenMs, isFaultRequest, killedMs } from "@stock-bazaar/process/faults";
import type { FaultReply } from "@stock-bazaar/process/faults";

export interface FaultySupervisor {
  /** Returns false if the service doesn't run. */
  killService(name: string, awayMs: number): boolean;
  freezeService(name: string, forMs: number): boolean;
}

/** Ignores a message that isn't a request for a fault. */
export function answerFault(
  supervisor: FaultySupervisor,
  message: unknown,
  reply: (message: FaultReply) => void,
): void {
  if (!isFaultRequest(message)) return;
  const { sequence, fault, target } = message;
  const name = target.kind === "replica" ? replicaService(target.number) : catalogService(target.number);
  const done = fault === "kill" ? supervisor.killService(name, killedMs) : supervisor.freezeService(name, frozenMs);
  reply({ sequence, done });
}

/** The supervisor's name of a catalog, by its place in CATALOG_ADDRESSES, from 1. */
export function catalogService(place: number): string {
  return place === 1 ? "catalog" : `catalog-${place}`;
}

/** The supervisor's name of a replica. */
export function replicaService(replica: number): string {
  return `order-${replica}`;
}
