/** Does to an order replica what a front-end asks for, and to nothing else. */

import { frozenMs, isFaultRequest, killedMs } from "@stock-bazaar/process/faults";
import type { FaultReply } from "@stock-bazaar/process/faults";

export interface FaultySupervisor {
  /** False: it doesn't run. */
  killService(name: string, awayMs: number): boolean;
  freezeService(name: string, forMs: number): boolean;
}

/** What isn't a request for a fault is not answered. */
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

/** The name under which an order replica is supervised. */
export function replicaService(replica: number): string {
  return `order-${replica}`;
}
