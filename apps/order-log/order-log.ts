/**
 * A replica's copy of the orders: a prefix of the ledger, and nothing else.
 *
 * Only the next order can be appended (R4), so two replicas can differ in length but never in content.
 */

import type { Order } from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";

export interface OrderLog {
  /** The last order that is committed; `undefined` if there is none. */
  readonly last: Order | undefined;
  /** The id of `last`; 0 if there is none. */
  readonly lastId: number;
  /**
   * Appends orders in one transaction. When it resolves they are committed: they survive the death of every process, and
   * a power cut if the log waits for its disk. `orders` must begin with id `lastId + 1` and have no gap.
   */
  append(orders: readonly Order[]): Promise<void>;
  /** At most `limit` orders with an id above `afterId`, ascending. */
  after(afterId: number, limit: number): Promise<Order[]>;
  get(id: number): Promise<Order | undefined>;
  /** Newest first, at most `limit` below the id `before` (0: from the newest). */
  newest(before: number, limit: number): Promise<Order[]>;
  close(): Promise<void>;
}

/** Throws a BrokenInvariant unless `orders` continue a log that ends with `lastId` (I3). */
export function assertContinues(lastId: number, orders: readonly Order[]): void {
  let expected = lastId + 1;
  for (const { id } of orders) {
    invariant(id === expected, "each order follows the one before it", id, expected - 1);
    expected += 1;
  }
}
