/** Promises that resolve when a monotonic counter reaches a given id. */

import { type Clock, withDeadline } from "./clock.ts";
import type { BazaarError } from "./errors.ts";

interface Waiter {
  readonly id: number;
  readonly resolve: () => void;
  readonly reject: (error: BazaarError) => void;
}

export interface Deadline {
  readonly clock: Clock;
  readonly delayMs: number;
  readonly late: () => BazaarError;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  get count(): number {
    return this.#waiting.size;
  }

  /** Resolves when the counter reaches `id`. With a deadline, rejects with `late()` once that has passed. */
  until(id: number, deadline?: Deadline): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { id, resolve, reject };
    this.#waiting.add(waiter);
    if (deadline === undefined) return promise;
    const { clock, delayMs, late } = deadline;
    return withDeadline(clock, delayMs, promise, late).finally(() => this.#waiting.delete(waiter));
  }

  reached(id: number): void {
    for (const waiter of this.#waiting) {
      if (waiter.id > id) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Rejects all waiting promises: the counter will not reach their ids. */
  reject(error: BazaarError): void {
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}
