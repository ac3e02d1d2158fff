/**
 * The interface of a running ledger, which alone decides the sequence of all orders. A store decides a batch in one
 * transaction (R2), and what it wrote is durable when the promise resolves. The methods are asynchronous so that a
 * store may be on another machine.
 */

import type { AcquireRequest, LeaderRequest, StocksRequest } from "@stock-bazaar/shared/api";
import type { Order, Outcome, Register, Stock, Trade } from "@stock-bazaar/shared/domain";

/** The result of one transaction. */
export interface LedgerChange {
  /** In the order of the trades; empty for a restock. */
  readonly outcomes: readonly Outcome[];
  /** The new rows only, ascending and without a gap. */
  readonly orders: readonly Order[];
  /** The new state of each stock that it changed. */
  readonly stocks: readonly Stock[];
  readonly head: number;
}

/** What a leader's batch is written with. `createdAt` is ISO 8601, UTC. */
export interface LedgerWrite extends LeaderRequest {
  readonly createdAt: string;
}

export interface LedgerBatch extends LedgerWrite {
  readonly trades: readonly Trade[];
  /**
   * The keys that the ledger may hold; all if absent. A store needn't look for the others there (R3), but among the
   * rejections. When a trade would be refused, or a key turns out to be in the ledger, it decides the batch anew with every
   * key looked for in both.
   */
  readonly mayBeKnown?: readonly string[] | undefined;
}

export interface LedgerRegister extends Register {
  /** The first term of the ledger's life. Orders of earlier terms are those that it was rebuilt from. */
  readonly firstTerm: number;
}

/** What the register records of the front-ends' leases (R9). */
export interface Leases {
  /** The longest lease that may still run; 0 if unknown. */
  readonly leaseMs: number;
  /** True if the catalog has ended and no lease runs. */
  readonly endedCleanly: boolean;
}

/**
 * Every method may reject with a BazaarError. A rejected transaction has changed nothing. Once another process has taken the
 * ledger over, every transaction rejects with NOT_ACTIVE.
 */
export interface Ledger {
  /**
   * Syncs everything that is committed once more: an earlier process may have ended after a failed sync. Returns a
   * description of the reader that blocks it, or `undefined` when it is done.
   */
  checkpoint(): Promise<string | undefined>;
  /**
   * Resolves when a statement that was sent after this call has found that this process still has the ledger (R11). Rejects
   * with NOT_ACTIVE if another one has taken it over. Absent if none can while this process runs.
   */
  prove?(): Promise<void>;
  /** Rejects with FENCED unless `term` is the register's, with DIVERGED unless the ledger holds the same row `last`. */
  apply(batch: LedgerBatch): Promise<LedgerChange>;
  /** Restocks the first `limit` stocks at zero with a name after `after` to `quantity`. Rejects like `apply`. */
  restock(
    batch: LedgerWrite & { readonly quantity: number; readonly after: string; readonly limit: number },
  ): Promise<LedgerChange>;
  /** The existing stocks among these names, in no particular order. The newest states if they are followed by a proof. */
  stocks(names: readonly string[]): Promise<Stock[]>;
  /** The first `limit` stocks from `start` on, sorted by the UTF-8 bytes of their names. */
  stocksFrom(request: StocksRequest): Promise<Stock[]>;
  /** The first `limit` orders with an id above `afterId`, ascending. */
  ordersAfter(afterId: number, limit: number): Promise<Order[]>;
  register(): Promise<LedgerRegister>;
  /** Compare-and-set on the term (R1). Rejects with STALE_TERM or DIVERGED. */
  acquire(request: AcquireRequest): Promise<LedgerRegister>;
  /** Writes without a change. Rejects unless the ledger can be written and has room for some batches. */
  tryWrite(): Promise<void>;
  leases(): Promise<Leases>;
  setLeases(leases: Leases): Promise<void>;
  /** The sequence number of the newest rejection, 0 before the first. It never falls. */
  lastRejection(): Promise<number>;
  /** Deletes at most `limit` rejections up to this sequence number, never the newest. Returns how many. */
  forgetRejections(upTo: number, limit: number): Promise<number>;
  close(): Promise<void>;
}
