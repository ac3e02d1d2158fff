/**
 * What a service waits for before it serves: that its database is durable, whatever an earlier process was told of it. A
 * reader that holds a snapshot may be in the way for any time: it is named, and waited for without blocking the process.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "./log.ts";

/** Between two tries. */
const retryMs = 100;

export interface UntilCheckpointedOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gives up the wait. */
  readonly stopping?: AbortSignal | undefined;
}

/** `tryOnce` returns who is in the way; `undefined`: done. Rejects with what it rejects with, and with UNAVAILABLE when given up. */
export async function untilCheckpointed(
  tryOnce: () => Promise<string | undefined>,
  { clock, logger, stopping }: UntilCheckpointedOptions,
): Promise<void> {
  let named: string | undefined;
  for (;;) {
    const reader = await tryOnce();
    if (reader === undefined) return;
    if (reader !== named) logger.warn(`${reader}: this service begins to serve when that is over`);
    named = reader;
    await pause(clock, retryMs);
    if (stopping?.aborted) throw new BazaarError("UNAVAILABLE", "stopped while it waited for a reader");
  }
}
