/**
 * A service waits here until its database is durable: an fsync of an earlier process may have failed.
 *
 * A reader that holds a snapshot may block the checkpoint for any time. The log names it, and the wait doesn't block
 * the process.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "./log.ts";

/** Delay between two tries. */
const retryMs = 100;

export interface UntilCheckpointedOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts the wait. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Resolves once `tryOnce` returns `undefined`; until then it returns what blocks the checkpoint. Rejects with the error
 * of `tryOnce`, and with UNAVAILABLE when `stopping` aborts.
 */
export async function untilCheckpointed(
  tryOnce: () => Promise<string | undefined>,
  { clock, logger, stopping }: UntilCheckpointedOptions,
): Promise<void> {
  let named: string | undefined;
  for (;;) {
    const reader = await tryOnce();
    if (reader === undefined) return;
    if (reader !== named) logger.warn(`${reader}: this service waits for that before it serves`);
    named = reader;
    await pause(clock, retryMs);
    if (stopping?.aborted) throw new BazaarError("UNAVAILABLE", "stopped while it waited for a reader");
  }
}
