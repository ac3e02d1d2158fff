/**
 * The newest orders in memory, including those that are not on the leader's own disk yet. Followers get them at once,
 * so their fsync runs in parallel with the leader's.
 */

import type { Order } from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";

export class RecentOrders {
  readonly #ordersMax: number;
  /** Sorted by id, without a gap. */
  #orders: Order[] = [];

  /** Keeps between `ordersMax` and twice as many. */
  constructor(ordersMax: number) {
    this.#ordersMax = ordersMax;
  }

  /** Appends orders. The first must follow the newest order without a gap. */
  push(orders: readonly Order[]): void {
    const newestId = this.#orders.at(-1)?.id;
    const nextId = orders[0]?.id;
    if (newestId !== undefined && nextId !== undefined)
      invariant(nextId === newestId + 1, "orders are added without a gap", nextId, newestId);
    for (const order of orders) this.#orders.push(order);
    if (this.#orders.length >= 2 * this.#ordersMax) this.#orders = this.#orders.slice(-this.#ordersMax);
  }

  /** Returns at most `limit` orders after `afterId`; `undefined` if some of them are no longer in memory. */
  after(afterId: number, limit: number): readonly Order[] | undefined {
    const firstId = this.#orders[0]?.id;
    if (firstId === undefined || afterId + 1 < firstId) return undefined;
    const start = afterId + 1 - firstId;
    return this.#orders.slice(start, start + limit);
  }

  get(id: number): Order | undefined {
    return this.after(id - 1, 1)?.[0];
  }
}
