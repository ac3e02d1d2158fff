/**
 * The newest orders in memory, including those that are not on the leader's own disk yet. They stay in the batches in which
 * they came, so that followers get the catalog's own text.
 */

import { OrderBatch } from "@stock-bazaar/shared/batches";
import type { Order } from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";

export class RecentOrders {
  readonly #ordersMax: number;
  /** None is empty, and each begins with the id after the last of the one before it. */
  readonly #batches: OrderBatch[] = [];
  #count = 0;

  /** Keeps at least `ordersMax` orders, and no whole batch more. */
  constructor(ordersMax: number) {
    this.#ordersMax = ordersMax;
  }

  /** Appends orders, at least one. The first must follow the newest order without a gap. */
  push(batch: OrderBatch): void {
    const newestId = this.#batches.at(-1)?.lastId;
    if (newestId !== undefined)
      invariant(batch.firstId === newestId + 1, "orders are added without a gap", batch.firstId, newestId);
    this.#batches.push(batch);
    this.#count += batch.rows.length;
    for (;;) {
      const oldest = this.#batches[0]?.rows.length ?? 0;
      if (oldest === 0 || this.#count - oldest < this.#ordersMax) break;
      this.#batches.shift();
      this.#count -= oldest;
    }
  }

  /** Returns at most `limit` orders after `afterId`; `undefined` if some of them are no longer in memory. */
  after(afterId: number, limit: number): OrderBatch | undefined {
    const start = this.#batches.findLastIndex(({ firstId }) => firstId <= afterId + 1);
    if (start === -1) return undefined;
    const whole: OrderBatch[] = [];
    let left = limit;
    for (const batch of this.#batches.slice(start)) {
      const rest = batch.after(afterId);
      if (rest.rows.length > left) {
        if (whole.length === 0) return new OrderBatch(rest.rows.slice(0, limit));
        break;
      }
      whole.push(rest);
      left -= rest.rows.length;
    }
    return OrderBatch.join(whole);
  }

  get(id: number): Order | undefined {
    return this.after(id - 1, 1)?.rows[0];
  }
}
