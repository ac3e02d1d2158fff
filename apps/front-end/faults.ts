/** Asks the supervisor for a fault, if this process has one that offers them. */

import type { FaultKind } from "@stock-bazaar/contract/faults";
import { type Clock, withDeadline } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type FaultRequest, faultsVariable, isFaultReply } from "@stock-bazaar/process/faults";

const answerTimeoutMs = 2000;

export interface Faults {
  /** The name that this front-end has besides its addresses: a page on it may ask for faults. */
  readonly host: string;
  /** Resolves with false if that replica doesn't run. Rejects with UNAVAILABLE when the supervisor doesn't answer. */
  inject(fault: FaultKind, replica: number): Promise<boolean>;
}

/** A process, as far as it can talk to its parent. */
export interface Channel {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absent in a process that has no channel to its parent. */
  readonly send?: ((message: FaultRequest) => unknown) | undefined;
  on(event: "message", hear: (message: unknown) => void): unknown;
}

/** `undefined`: there is nobody to ask. */
export function connectFaults(channel: Channel, host: string, clock: Clock): Faults | undefined {
  if (channel.env[faultsVariable] !== "1" || channel.send === undefined) return undefined;
  const waiting = new Map<number, (done: boolean) => void>();
  let sequence = 0;
  channel.on("message", (message) => {
    if (isFaultReply(message)) waiting.get(message.sequence)?.(message.done);
  });
  return {
    host,
    async inject(fault, replica) {
      sequence += 1;
      const asked = sequence;
      const answer = new Promise<boolean>((resolve) => waiting.set(asked, resolve));
      try {
        channel.send?.({ sequence: asked, fault, replica });
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
