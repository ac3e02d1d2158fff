/** Kills or freezes a replica at a front-end's request. No other service can be named. */

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
  const { sequence, fault, replica } = message;
  const name = replicaService(replica);
  const done = fault === "kill" ? supervisor.killService(name, killedMs) : supervisor.freezeService(name, frozenMs);
  reply({ sequence, done });
}

/** The supervisor's name of a replica. */
export function replicaService(replica: number): string {
  return `order-${replica}`;
}
