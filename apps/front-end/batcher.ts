/**
 * Makes one call out of many: what is pushed in one turn, and what queues while the calls under way are
 * being answered, travels together. There is no timer: alone, an item leaves at once.
 *
 * Left to themselves, clients that wait for their answers fall into groups of any sizes, each of which is one call: 61 and
 * 3, say, and a call of 3 takes nearly as long as one of 61. `shareMin` keeps the calls alike.
 *
 * This is not a `BatchQueue`, which has one batch in flight and no results. Here several calls are in flight, each item has
 * its own result, and each call waits for its turn to end: clients that are answered together send again together.
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";

export interface BatcherOptions<Item, Result> {
  readonly clock: Clock;
  /** Items in one call. */
  readonly itemsMax: number;
  /** Calls under way at once. */
  readonly callsMax: number;
  /**
   * Absent: a call leaves whenever fewer than `callsMax` are under way. Else each call carries an even share of what
   * isn't answered yet, but at least so many items if there are as many; beside another it leaves only with such a share.
   */
  readonly shareMin?: number;
  /** Items that may wait for a call; past this `push` rejects with OVERLOADED at once. */
  readonly queueMax: number;
  /** Results in the order of the items. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  /** calls ≤ callsMax */
  #calls = 0;
  #itemsUnderWay = 0;
  #flushing = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  push(item: Item): Promise<Result> {
    if (this.#queue.length >= this.#options.queueMax) {
      return Promise.reject(new BazaarError("OVERLOADED", `${this.#queue.length} requests wait already`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#flushSoon();
    });
  }

  #flushSoon(): void {
    if (this.#flushing || !this.#mayLeave) return;
    this.#flushing = true;
    this.#options.clock.soon(() => {
      this.#flushing = false;
      const batch = this.#queue.splice(0, this.#callItemsMax);
      this.#calls += 1;
      invariant(this.#calls <= this.#options.callsMax, "calls ≤ callsMax", this.#calls, this.#options.callsMax);
      this.#itemsUnderWay += batch.length;
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
    return Math.max(shareMin, (this.#queue.length + this.#itemsUnderWay) / callsMax);
  }

  async #call(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.send(batch.map(({ item }) => item));
      for (const [index, waiting] of batch.entries()) {
        if (index < results.length) waiting.resolve(results[index] as Result);
        else
          waiting.reject(new BazaarError("INTERNAL_ERROR", `${results.length} results for ${batch.length} requests`));
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
    this.#calls -= 1;
    this.#itemsUnderWay -= batch.length;
    this.#flushSoon();
  }
}
