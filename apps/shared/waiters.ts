/** Promises that resolve when a monotonic counter reaches a given id. */

import type { BazaarError } from "./errors.ts";

interface Waiter {
  readonly id: number;
  readonly resolve: () => void;
  readonly reject: (error: BazaarError) => void;
}

export class Waiters {
  #waiting: Waiter[] = [];

  get count(): number {
    return this.#waiting.length;
  }

  /** Resolves when the counter reaches `id`. */
  until(id: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ id, resolve, reject }));
  }

  reached(id: number): void {
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.id > id) return true;
      waiter.resolve();
      return false;
    });
  }

  /** Rejects all waiting promises: the counter will not reach their ids. */
  reject(error: BazaarError): void {
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
  }
}
