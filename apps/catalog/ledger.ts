/**
 * The ledger: the one place where order is made. A store behind this interface decides a batch in one
 * transaction (R2) and is durable when the promise resolves. It answers asynchronously, so that a store
 * on another machine can stand behind it as well as SQLite.
 */

import type { Applied, AcquireRequest } from "@stock-bazaar/shared/api";
import type { Order, Register, Stock, Trade } from "@stock-bazaar/shared/domain";

/** What one transaction did. `stocks` are those that it changed, as they are now. */
export interface LedgerChange extends Applied {
  readonly stocks: readonly Stock[];
}

/** Every method may reject with a BazaarError; a rejected transaction has changed nothing. */
export interface Ledger {
  /** Rejects with FENCED if `term` isn't the register's. `createdAt` is ISO 8601, UTC. */
  apply(batch: { term: number; trades: readonly Trade[]; createdAt: string }): Promise<LedgerChange>;
  /** Sets every stock at zero back to `quantity`. Rejects with FENCED if `term` isn't the register's. */
  restock(batch: { term: number; quantity: number; createdAt: string }): Promise<LedgerChange>;
  /** The stocks with these names that there are, in no particular order. */
  stocks(names: readonly string[]): Promise<Stock[]>;
  /** All stocks, sorted by name. */
  allStocks(): Promise<Stock[]>;
  /** At most `limit` orders with an id above `afterId`, ascending. */
  ordersAfter(afterId: number, limit: number): Promise<Order[]>;
  register(): Promise<Register>;
  /** Compare-and-set on the term (R1). Rejects with STALE_TERM or DIVERGED. */
  acquire(request: AcquireRequest): Promise<Register>;
  /** The place of the newest rejection in the order in which they were made; 0 before the first. It never falls. */
  lastRejection(): Promise<number>;
  /** Forgets at most `limit` of the rejections up to this place, never the newest of all. Returns how many. */
  forgetRejections(upTo: number, limit: number): Promise<number>;
  close(): Promise<void>;
}
