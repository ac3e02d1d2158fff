/**
 * Can the ledger be written? Its database may be locked by another process, or its disk full, while everything can still be
 * read. An episode begins with a write that fails so, is reported once, and ends with a write that this class tries itself:
 * a trade is no measure, as nobody sends any to a bazaar that says it isn't ready.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";

const tryEveryMs = 500;

export interface WriteAccessOptions {
  /** As the ledger's. */
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

  /** Why the ledger can't be written, while it can't. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** To be called with every write. Passes its outcome on. */
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
    logger.warn(`${message}: nothing is traded until the ledger can be written; it can be read`);
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
