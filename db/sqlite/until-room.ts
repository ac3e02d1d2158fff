/**
 * A starting service waits here while the disk of its database is full. If it ended instead, each new start would write
 * further lines onto that disk.
 */

import type { Logger } from "@stock-bazaar/process/log";
import { Backoff, type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "./database-error.ts";
import { sqliteCode } from "./failures.ts";

/** The first delay before another try; it doubles up to the maximum. */
const retryFirstMs = 100;
const retryMaxMs = 2000;

export interface UntilRoomOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts the wait. */
  readonly stopping?: AbortSignal | undefined;
  /** Called when the wait begins, with its reason. Returns a function that is called, and awaited, at its end. */
  readonly waits?: (reason: string) => Promise<() => Promise<void>>;
}

/**
 * Returns the result of `tryOnce`, which is repeated as long as it throws that a disk is full; it must undo what it has
 * begun. The reason is logged once. Rejects with any other error of `tryOnce`, and with UNAVAILABLE when `stopping` aborts.
 */
export async function untilRoom<Result>(
  tryOnce: () => Promise<Result>,
  { clock, logger, stopping, waits = async () => async () => {} }: UntilRoomOptions,
): Promise<Result> {
  const backoff = new Backoff(retryFirstMs, retryMaxMs, () => 0);
  let endWait: (() => Promise<void>) | undefined;
  try {
    for (;;) {
      try {
        const result = await tryOnce();
        if (endWait) logger.info("there is room on the disk again");
        return result;
      } catch (error) {
        const reason = whyFull(error);
        if (reason === undefined) throw error;
        if (!endWait) {
          logger.warn(`${reason}: this service starts when there is room again`);
          endWait = await waits(reason);
        }
        await pause(clock, backoff.nextMs());
        if (stopping?.aborted) throw new BazaarError("UNAVAILABLE", `stopped while it waited: ${reason}`);
      }
    }
  } finally {
    await endWait?.();
  }
}

/** The message of the error of a full disk, whether a service's guard has passed it on or not. */
function whyFull(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return error.problem === "disk-full" ? error.message : undefined;
  const isFull = error instanceof BazaarError && sqliteCode(error.cause).startsWith("SQLITE_FULL");
  return isFull ? error.message : undefined;
}
