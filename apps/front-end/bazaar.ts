/** What the HTTP routes can ask of the rest of the front-end: the seam between HTTP and the trading rules. */

import type { CacheUse } from "@stock-bazaar/contract/replies";
import type { FrontEndState, ReplicaStatus, StocksPage, StocksRequest } from "@stock-bazaar/shared/api";
import type { Order, Outcome, Stock, Trade } from "@stock-bazaar/shared/domain";

/** A stock, and the life of the ledger that it is of: in another life its `rev` means something else. */
export interface KnownStock extends Stock {
  readonly life: string;
}

export interface StockLookup {
  /** `undefined`: no such stock. */
  readonly stock: KnownStock | undefined;
  readonly cache: CacheUse;
}

export interface CacheState {
  /** The most it may hold; 0 = off. */
  readonly capacity: number;
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
  /** Does the front-end hold a lease, and so may it answer from its cache? */
  readonly leased: boolean;
}

export interface ReplicaState {
  readonly id: number;
  /** `silent`: connected, but it says nothing (frozen). `away`: not reachable. */
  readonly state: "live" | "silent" | "away";
  /** What it said last; absent if it never did. */
  readonly status: ReplicaStatus | undefined;
}

/**
 * `read-only`: it answers, and can't write its ledger now. `refusing`: its ledger was longer once, and a person must decide
 * (R2).
 */
export type CatalogState = "live" | "read-only" | "away" | "refusing";

export interface ClusterState {
  /** 0 = none known. */
  readonly leader: number;
  readonly term: number;
  readonly replicas: readonly ReplicaState[];
  /**
   * `head` is the last id of the ledger, `stocks` how many stocks there are; both absent unless the catalog answers.
   * `problem`: why it can't write.
   */
  readonly catalog: {
    readonly state: CatalogState;
    readonly head: number | undefined;
    readonly stocks?: number | undefined;
    readonly problem?: string | undefined;
  };
  /** The catalog or a replica can't be used, as it speaks another version of the messages than this front-end. */
  readonly otherVersion?: boolean;
  readonly cache: CacheState;
  /** This one first, then those that the catalog knows of. */
  readonly frontEnds: readonly FrontEndState[];
}

/** Every call may reject with a BazaarError; `UNAVAILABLE` after REQUEST_TIMEOUT_MS, `OVERLOADED` at once. */
export interface Bazaar {
  /** At once from the cache where that is safe (R8), else from the catalog. */
  lookup(name: string): StockLookup | Promise<StockLookup>;
  /** From the cache only, and only what a lookup has asked for since the stock changed last. */
  lookupCached(name: string): KnownStock | undefined;
  /** As `lookupCached`, for whoever asks again when there is nothing: only a hit is counted. */
  peekCached(name: string): KnownStock | undefined;
  dropCached(name: string): void;
  /** A page of the stocks, each in its settled state. */
  stocks(request: StocksRequest): Promise<StocksPage>;
  /** Those of these stocks that there are, each in its settled state; past the cache, which doesn't count it. */
  stocksNamed(names: readonly string[]): Promise<Stock[]>;
  /** Retried with the same key through any failover until it has an outcome. */
  trade(trade: Trade): Promise<Outcome>;
  order(id: number): Promise<Order | undefined>;
  /** Newest first, from below `before` (0: from the newest). */
  orders(request: { before: number; limit: number }): Promise<Order[]>;
  cluster(): Promise<ClusterState>;
}
