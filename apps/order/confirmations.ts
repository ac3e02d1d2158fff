/**
 * Promises that resolve when the orders up to an id have their copies (R5). One that can't resolve in time is rejected:
 * the outcome is unknown.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Copies } from "./copies.ts";

interface Waiter {
  readonly id: number;
  readonly resolve: () => void;
  readonly reject: (error: BazaarError) => void;
}

export class Confirmations {
  readonly #copies: Copies;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiters = new Set<Waiter>();
  #stopped: BazaarError | undefined;

  constructor(options: { copies: Copies; clock: Clock; timeoutMs: number }) {
    this.#copies = options.copies;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Resolves when the orders up to `id` have their copies. Rejects with DEPENDENCY_UNAVAILABLE after the timeout. */
  async confirmed(id: number): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    if (id <= this.#copies.confirmedId) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { id, resolve, reject };
    const late = `order ${id} has too few copies: its outcome is unknown`;
    const cancelTimer = this.#clock.after(this.#timeoutMs, () =>
      reject(new BazaarError("DEPENDENCY_UNAVAILABLE", late)),
    );
    this.#waiters.add(waiter);
    try {
      await promise;
    } finally {
      cancelTimer();
      this.#waiters.delete(waiter);
    }
  }

  /** To be called whenever the copies have changed. */
  check(): void {
    if (this.#waiters.size === 0) return;
    const { confirmedId } = this.#copies;
    for (const waiter of this.#waiters) if (waiter.id <= confirmedId) waiter.resolve();
  }

  stop(reason: BazaarError): void {
    this.#stopped = reason;
    for (const waiter of this.#waiters) waiter.reject(reason);
  }
}
