/**
 * Orders on their way to the leader's own disk, in one append after another: what comes while one runs is the next.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

export interface StoreQueueOptions {
  readonly log: OrderLog;
  readonly clock: Clock;
  /** The log ends with this order. */
  readonly stored: (lastId: number) => void;
  /** The disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class StoreQueue {
  readonly #options: StoreQueueOptions;
  #waiting: Order[] = [];
  #emptied: Promise<void> | undefined;

  constructor(options: StoreQueueOptions) {
    this.#options = options;
  }

  /** How many orders wait for an append to begin. */
  get length(): number {
    return this.#waiting.length;
  }

  push(orders: readonly Order[]): void {
    for (const order of orders) this.#waiting.push(order);
    this.#emptied ??= this.#empty();
  }

  /** Throws away what waits. An append that has begun goes on. */
  clear(): void {
    this.#waiting = [];
  }

  /** Resolves when everything is on the disk or thrown away, and nobody writes any more. */
  emptied(): Promise<void> {
    return this.#emptied ?? Promise.resolve();
  }

  async #empty(): Promise<void> {
    const { log, clock, stored, fatal } = this.#options;
    // The followers' messages leave first: their fsync then runs beside ours.
    await new Promise<void>((resolve) => clock.soon(resolve));
    try {
      while (this.#waiting.length > 0) {
        const orders = this.#waiting;
        this.#waiting = [];
        await log.append(orders);
        stored(log.lastId);
      }
      this.#emptied = undefined;
    } catch (error) {
      fatal(error);
    }
  }
}
