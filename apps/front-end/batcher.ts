/**
 * Joins many items into one call: items that are pushed in one turn, and items that queue while calls are in flight,
 * leave together. There is no timer: a single item leaves at once.
 *
 * Without `shareMin`, clients that wait for their answers fall into groups of different sizes, one per call: 61 and 3,
 * for example, and a call with 3 items takes nearly as long as one with 61. `shareMin` keeps the sizes similar.
 *
 * This is not a `BatchQueue`, which has one batch in flight and no results. Here several calls are in flight, each item
 * has its own result, and each call waits for its turn to end: clients that are answered together send again together.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";

export interface BatcherOptions<Item, Result> {
  readonly clock: Clock;
  /** Maximum number of items in one call. */
  readonly itemsMax: number;
  /** Maximum number of calls in flight. */
  readonly callsMax: number;
  /**
   * Minimum batch size while another call is in flight. Each call takes an even share of the unanswered items, but at
   * least this many if so many wait. If absent, a call leaves whenever fewer than `callsMax` are in flight.
   */
  readonly shareMin?: number;
  /** How many items may wait for a call. Further items are rejected with OVERLOADED at once. */
  readonly queueMax: number;
  /** Returns the results in the order of the items. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
}

/** An item that waits for its result. */
export interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  /** calls ≤ callsMax */
  #calls = 0;
  #itemsInFlight = 0;
  #flushing = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  push(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => this.add({ item, resolve, reject }));
  }

  /** `push` for a caller that has a promise already. Calls `resolve` or `reject` once for each `add`. */
  add(waiting: Waiting<Item, Result>): void {
    const { queueMax } = this.#options;
    if (this.#queue.length >= queueMax) {
      waiting.reject(new BazaarError("OVERLOADED", `at most ${queueMax} requests may wait for a call`));
      return;
    }
    this.#queue.push(waiting);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing || !this.#mayLeave) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      const batch = this.#queue.splice(0, this.#callItemsMax);
      this.#calls += 1;
      invariant(this.#calls <= this.#options.callsMax, "calls ≤ callsMax", this.#calls, this.#options.callsMax);
      this.#itemsInFlight += batch.length;
      void this.#call(batch);
      this.#flushSoon();
    });
  }

  get #mayLeave(): boolean {
    const { callsMax, shareMin } = this.#options;
    if (this.#queue.length === 0 || this.#calls >= callsMax) return false;
    return shareMin === undefined || this.#calls === 0 || this.#queue.length >= Math.floor(this.#share);
  }

  get #callItemsMax(): number {
    const { itemsMax, shareMin } = this.#options;
    return shareMin === undefined ? itemsMax : Math.min(itemsMax, Math.ceil(this.#share));
  }

  get #share(): number {
    const { callsMax, shareMin = 0 } = this.#options;
    return Math.max(shareMin, (this.#queue.length + this.#itemsInFlight) / callsMax);
  }

  async #call(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.send(batch.map(({ item }) => item));
      for (let index = 0; index < batch.length; index += 1) {
        const waiting = batch[index] as Waiting<Item, Result>;
        if (index < results.length) waiting.resolve(results[index] as Result);
        else
          waiting.reject(
            new BazaarError(
              "INTERNAL_ERROR",
              `${batch.length} requests must have a result each (got ${results.length})`,
            ),
          );
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
    this.#calls -= 1;
    this.#itemsInFlight -= batch.length;
    this.#flushSoon();
  }
}
