/**
 * The ledger: the one place where order is made. A store behind this interface decides a batch in one
 * transaction (R2) and is durable when the promise resolves. It answers asynchronously, so that a store
 * on another machine can stand behind it as well as SQLite.
 */

import type { AcquireRequest, Applied, LeaderRequest, StocksRequest } from "@stock-bazaar/shared/api";
import type { Order, Register, Stock, Trade } from "@stock-bazaar/shared/domain";

/** What one transaction did. `stocks` are those that it changed, as they are now. */
export interface LedgerChange extends Applied {
  readonly stocks: readonly Stock[];
}

/** What a batch of a leader's is written with. `createdAt` is ISO 8601, UTC. */
export interface LedgerWrite extends LeaderRequest {
  readonly createdAt: string;
}

export interface LedgerRegister extends Register {
  /** The first term of the ledger's life; orders of an earlier term are what it was rebuilt from. */
  readonly firstTerm: number;
}

/** What the register says of the leases that front-ends hold (R9). */
export interface Leases {
  /** The longest that may run; 0: not known. */
  readonly leaseMs: number;
  /** The catalog has ended, and none runs. */
  readonly endedCleanly: boolean;
}

/** Every method may reject with a BazaarError; a rejected transaction has changed nothing. */
export interface Ledger {
  /**
   * Makes what was committed durable once more, whatever an earlier process was told of it. Returns who is in the way, a
   * reader that still needs what would be thrown away; `undefined`: done.
   */
  checkpoint(): Promise<string | undefined>;
  /** Rejects with FENCED if `term` isn't the register's, with DIVERGED unless the ledger holds `last`, the same row. */
  apply(batch: LedgerWrite & { readonly trades: readonly Trade[] }): Promise<LedgerChange>;
  /** Sets the first `limit` stocks at zero with a name after `after` back to `quantity`. Rejects like `apply`. */
  restock(
    batch: LedgerWrite & { readonly quantity: number; readonly after: string; readonly limit: number },
  ): Promise<LedgerChange>;
  /** The stocks with these names that there are, in no particular order. */
  stocks(names: readonly string[]): Promise<Stock[]>;
  /** The first `limit` stocks from `start` on, sorted by name in the order of its UTF-8 bytes. */
  stocksFrom(request: StocksRequest): Promise<Stock[]>;
  /** At most `limit` orders with an id above `afterId`, ascending. */
  ordersAfter(afterId: number, limit: number): Promise<Order[]>;
  register(): Promise<LedgerRegister>;
  /** Compare-and-set on the term (R1). Rejects with STALE_TERM or DIVERGED. */
  acquire(request: AcquireRequest): Promise<LedgerRegister>;
  /** Writes, and changes nothing. Rejects unless the ledger can be written, and has room for some batches. */
  tryWrite(): Promise<void>;
  leases(): Promise<Leases>;
  setLeases(leases: Leases): Promise<void>;
  /** The place of the newest rejection in the order in which they were made; 0 before the first. It never falls. */
  lastRejection(): Promise<number>;
  /** Forgets at most `limit` of the rejections up to this place, never the newest of all. Returns how many. */
  forgetRejections(upTo: number, limit: number): Promise<number>;
  close(): Promise<void>;
}
