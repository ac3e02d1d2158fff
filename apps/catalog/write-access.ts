/**
 * Whether the ledger can be written. Another process may have locked its database, or the disk may be full, while reads
 * still succeed. An episode begins with a write that fails for such a reason, and is logged once. It ends when a test
 * write of this class succeeds. Waiting for the next trade would not do: clients send none to a bazaar that isn't
 * ready.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";

const tryEveryMs = 500;

export interface WriteAccessOptions {
  /** A test write: `tryWrite` of the ledger. */
  readonly tryWrite: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class WriteAccess {
  readonly #options: WriteAccessOptions;
  #obstacle: string | undefined;
  #sinceMs = 0;
  #stopped = false;
  #cancel = () => {};

  constructor(options: WriteAccessOptions) {
    this.#options = options;
  }

  /** The reason why the ledger can't be written; `undefined` if it can. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** To be called with every write. Returns what the write returns. */
  async observe<Result>(write: Promise<Result>): Promise<Result> {
    try {
      return await write;
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      if (code === "STORAGE_UNAVAILABLE") this.#begin(message);
      throw error;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #begin(message: string): void {
    if (this.#obstacle !== undefined || this.#stopped) return;
    this.#obstacle = message;
    const { clock, logger, tryWrite } = this.#options;
    this.#sinceMs = clock.nowMs();
    logger.warn(`${message}: no trade is accepted until the ledger can be written; reads are still answered`);
    this.#cancel = every(clock, tryEveryMs, () =>
      tryWrite().then(
        () => this.#end(),
        (error: unknown) => {
          if (!this.#stopped) this.#obstacle = BazaarError.from(error).message;
        },
      ),
    );
  }

  #end(): void {
    if (this.#stopped) return;
    this.#cancel();
    const { clock, logger } = this.#options;
    this.#obstacle = undefined;
    logger.info({ afterMs: Math.round(clock.nowMs() - this.#sinceMs) }, "the ledger can be written again");
  }
}
