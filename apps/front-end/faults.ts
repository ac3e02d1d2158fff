/** Asks the supervisor to inject a fault, if this process has a supervisor that offers faults. */

import type { FaultKind } from "@stock-bazaar/contract/faults";
import { type Clock, withDeadline } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type FaultRequest, type FaultTarget, faultsVariable, isFaultReply } from "@stock-bazaar/process/faults";

const answerTimeoutMs = 2000;

export interface Faults {
  /** The configured host name, accepted as a same-origin Host of a request for a fault. */
  readonly host: string;
  /** Resolves with false if the process doesn't run. Rejects with UNAVAILABLE if the supervisor doesn't answer. */
  inject(fault: FaultKind, target: FaultTarget): Promise<boolean>;
}

/** The part of a process that connects it to its parent. */
export interface Channel {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absent in a process that has no channel to its parent. */
  readonly send?: ((message: FaultRequest) => unknown) | undefined;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

/** Returns `undefined` if no supervisor offers faults. */
export function connectFaults(channel: Channel, host: string, clock: Clock): Faults | undefined {
  if (channel.env[faultsVariable] !== "1" || channel.send === undefined) return undefined;
  const waiting = new Map<number, (done: boolean) => void>();
  let sequence = 0;
  channel.on("message", (message) => {
    if (isFaultReply(message)) waiting.get(message.sequence)?.(message.done);
  });
  return {
    host,
    async inject(fault, target) {
      sequence += 1;
      const asked = sequence;
      const answer = new Promise<boolean>((resolve) => waiting.set(asked, resolve));
      try {
        channel.send?.({ sequence: asked, fault, target });
        return await withDeadline(
          clock,
          answerTimeoutMs,
          answer,
          () => new BazaarError("UNAVAILABLE", "the supervisor doesn't answer"),
        );
      } finally {
        waiting.delete(asked);
      }
    },
  };
}
