/**
 * Deletes the rejections that have been kept for long enough (R3). It deletes a few at a time: trades must not wait.
 *
 * The age of a rejection comes from the monotonic clock. If a wall clock were corrected by a day or by years, a
 * rejection from a minute ago would look old, and the rejected trade could execute when it is sent again (I4). The
 * monotonic clock doesn't cover the time before the start, so after a start nothing is deleted for the full time.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import type { Ledger } from "@stock-bazaar/ledger/ledger";

const dayMs = 24 * 3_600_000;
/** How many marks are made in the time for which a rejection is kept. */
const marksMax = 24;
const forgottenAtOnceMax = 2000;
const forgetMoreMs = 200;
const forgetEveryMs = 60_000;

export interface OldRejectionsOptions {
  readonly ledger: Pick<Ledger, "lastRejection" | "forgetRejections">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Minimum time for which a rejection is kept. Default: a day. */
  readonly rejectionsKeptMs?: number;
}

export class OldRejections {
  readonly #options: OldRejectionsOptions;
  readonly #keptMs: number;
  readonly #markEveryMs: number;
  readonly #forgetEveryMs: number;
  /** Every rejection up to `upTo` was stored before `atMs`. Oldest first. */
  readonly #marks: { readonly atMs: number; readonly upTo: number }[] = [];
  /** Rejections up to this id have been kept for long enough. It never falls. */
  #oldUpTo = 0;
  /** True if the last deletion reached its limit: there may be more old rejections. */
  #more = false;
  #cancel = () => {};

  constructor(options: OldRejectionsOptions) {
    this.#options = options;
    this.#keptMs = options.rejectionsKeptMs ?? dayMs;
    this.#markEveryMs = this.#keptMs / marksMax;
    this.#forgetEveryMs = Math.min(forgetEveryMs, this.#markEveryMs);
  }

  start(): void {
    const delayMs = () => (this.#more ? forgetMoreMs : this.#forgetEveryMs);
    this.#cancel = every(this.#options.clock, delayMs, () => this.#forget());
  }

  stop(): void {
    this.#cancel();
  }

  async #forget(): Promise<void> {
    const { ledger, logger } = this.#options;
    this.#more = false;
    try {
      await this.#mark();
      if (this.#oldUpTo === 0) return;
      const count = await ledger.forgetRejections(this.#oldUpTo, forgottenAtOnceMax);
      this.#more = count === forgottenAtOnceMax;
      if (count > 0) logger.info({ count }, "old rejections forgotten");
    } catch (error) {
      logger.error({ error: BazaarError.from(error).message }, "old rejections could not be forgotten");
    }
  }

  async #mark(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const newest = this.#marks.at(-1);
    if (!newest || nowMs - newest.atMs >= this.#markEveryMs)
      this.#marks.push({ atMs: nowMs, upTo: await this.#options.ledger.lastRejection() });
    for (let [oldest] = this.#marks; oldest && nowMs - oldest.atMs >= this.#keptMs; [oldest] = this.#marks) {
      invariant(oldest.upTo >= this.#oldUpTo, "marks rise", oldest.upTo, this.#oldUpTo);
      this.#oldUpTo = oldest.upTo;
      this.#marks.shift();
    }
  }
}
