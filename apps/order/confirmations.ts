/**
 * Promises that resolve when the orders up to an id have their copies (R5). One that can't resolve in time is rejected:
 * the outcome is unknown.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { Waiters } from "@stock-bazaar/shared/waiters";
import type { Copies } from "./copies.ts";

export class Confirmations {
  readonly #copies: Copies;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiters = new Waiters();
  #stopped: BazaarError | undefined;

  constructor(options: { copies: Copies; clock: Clock; timeoutMs: number }) {
    this.#copies = options.copies;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Resolves when the orders up to `id` have their copies. Rejects with DEPENDENCY_UNAVAILABLE after the timeout. */
  confirmed(id: number): Promise<void> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (id <= this.#copies.confirmedId) return Promise.resolve();
    const late = () =>
      new BazaarError("DEPENDENCY_UNAVAILABLE", `order ${id} has too few copies: its outcome is unknown`);
    return this.#waiters.until(id, { clock: this.#clock, delayMs: this.#timeoutMs, late });
  }

  /** To be called whenever the copies have changed. */
  check(): void {
    if (this.#waiters.count > 0) this.#waiters.reached(this.#copies.confirmedId);
  }

  stop(reason: BazaarError): void {
    this.#stopped = reason;
    this.#waiters.reject(reason);
  }
}
