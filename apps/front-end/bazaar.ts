/** The interface between the HTTP routes and the trading rules of the front-end. */

import type { CacheUse } from "@stock-bazaar/contract/replies";
import type {
  CatalogState as SharedCatalogState,
  FrontEndState,
  ReplicaStatus,
  StocksPage,
  StocksRequest,
} from "@stock-bazaar/shared/api";
import type { Order, Outcome, Stock, Trade } from "@stock-bazaar/shared/domain";

/** A stock, and the life of its ledger. Revisions of different lives can't be compared. */
export interface KnownStock extends Stock {
  readonly life: string;
}

export interface StockLookup {
  /** `undefined` if there is no such stock. */
  readonly stock: KnownStock | undefined;
  readonly cache: CacheUse;
}

export interface CacheState {
  /** Maximum number of stocks; 0 = no cache. */
  readonly capacity: number;
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
  /** True if the front-end holds a lease, so that it may answer from its cache. */
  readonly leased: boolean;
}

export interface ReplicaState {
  readonly id: number;
  /** `silent`: connected, but it sends nothing (frozen). `away`: not reachable. */
  readonly state: "live" | "silent" | "away";
  /** Its last status; absent if it never sent one. */
  readonly status: ReplicaStatus | undefined;
}

/**
 * The catalog as this front-end sees it. `read-only`: it answers but can't write its ledger now. `refusing`: its ledger
 * was longer before, and a person must decide (R2).
 */
export type CatalogState = "live" | "read-only" | "away" | "refusing";

export interface ClusterState {
  /** 0 = none known. */
  readonly leader: number;
  readonly term: number;
  readonly replicas: readonly ReplicaState[];
  /**
   * `head` is the last id of the ledger, `stocks` the number of stocks; both are absent unless the catalog answers.
   * `problem` is the reason why it can't write, or start.
   */
  readonly catalog: {
    readonly state: CatalogState;
    readonly head: number | undefined;
    readonly stocks?: number | undefined;
    readonly problem?: string | undefined;
  };
  /** Each of several catalogs on one ledger (R11); absent if there is one. */
  readonly catalogs?: readonly SharedCatalogState[] | undefined;
  /** True if the catalog or a replica can't be used because it speaks another version of the messages. */
  readonly otherVersion?: boolean;
  readonly cache: CacheState;
  /** This front-end first, then the others that the catalog lists. */
  readonly frontEnds: readonly FrontEndState[];
}

/** Every call may reject with a BazaarError: `UNAVAILABLE` after REQUEST_TIMEOUT_MS, `OVERLOADED` at once. */
export interface Bazaar {
  /** Returns the stock at once from the cache where that is safe (R8), else from the catalog. */
  lookup(name: string): StockLookup | Promise<StockLookup>;
  /** Looks only in the cache, and only at stocks that a lookup has asked for since their last change. */
  lookupCached(name: string): KnownStock | undefined;
  /** Looks only in the cache, and counts only a hit: on a miss, the caller continues with `lookup`. */
  peekCached(name: string): KnownStock | undefined;
  dropCached(name: string): void;
  /** Returns a page of the stocks, each in its settled state. */
  stocks(request: StocksRequest): Promise<StocksPage>;
  /** Returns those of these stocks that exist, each in its settled state. Bypasses the cache and its counters. */
  stocksNamed(names: readonly string[]): Promise<Stock[]>;
  /**
   * Places a trade. It is retried with the same key through any failover until it has an outcome. `minted` is true if
   * the key was made for this call, and for no other (R3): a key from a client never was.
   */
  trade(trade: Trade, minted: boolean): Promise<Outcome>;
  order(id: number): Promise<Order | undefined>;
  /** Returns the orders below `before` (0: all), newest first. */
  orders(request: { before: number; limit: number }): Promise<Order[]>;
  cluster(): Promise<ClusterState>;
}
