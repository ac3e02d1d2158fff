/**
 * The data of the front-end's events and replies, as the API documents them. The front-end uses these types for its
 * events too, so that both sides agree.
 */

export interface Stock {
  readonly name: string;
  readonly price: number;
  readonly quantity: number;
  readonly volume: number;
}

export type TradeType = "buy" | "sell";

export interface Order {
  readonly number: number;
  readonly name: string;
  readonly type: TradeType | "restock";
  readonly quantity: number;
}

export interface ListedOrder extends Order {
  readonly price: number;
  readonly created_at: string;
}

export interface Replica {
  readonly id: number;
  readonly state: "live" | "silent" | "away";
  /** The last known role, even if the replica is away now. */
  readonly role: "leader" | "follower" | "taking-over" | null;
  readonly last_id: number | null;
  /** How many orders the replica is behind. */
  readonly lag: number | null;
}

export interface FrontEnd {
  readonly address: string;
  readonly state: "live" | "away";
  /** The dialect of its routes and replies. */
  readonly dialect: string;
}

export interface Cluster {
  readonly leader: number | null;
  readonly term: number;
  /**
   * `read-only` means that the ledger can't be written now; `refusing` that it was longer once and a person must
   * decide.
   */
  readonly catalog: {
    readonly state: "live" | "read-only" | "away" | "refusing";
    readonly last_id: number | null;
    /** The number of stocks. */
    readonly stocks: number | null;
    readonly problem?: string | undefined;
  };
  /** The front-end that sends this comes first. */
  readonly front_ends: readonly FrontEnd[];
  readonly replicas: readonly Replica[];
  readonly cache: { readonly capacity: number; readonly size: number; readonly leased: boolean };
}

export interface Sample {
  readonly at: string;
  readonly orders_per_second: number | null;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly hit_rate: number | null;
}

export type ServerEvent =
  | { readonly event: "hello"; readonly data: { readonly faults: boolean } }
  | {
      readonly event: "history";
      readonly data: {
        /** Time between two samples. This page uses the time of each sample instead. */
        readonly interval_ms: number;
        readonly samples: readonly Sample[];
      };
    }
  | { readonly event: "sample"; readonly data: Sample }
  | { readonly event: "cluster"; readonly data: Cluster }
  | {
      readonly event: "stocks";
      readonly data: {
        /** Whether these are all stocks of the requested page, or only the changed ones. */
        readonly complete: boolean;
        readonly stocks: readonly Stock[];
        /** In a complete page, the value of `after` for the next page; absent in the last page. */
        readonly next?: string;
      };
    }
  | { readonly event: "orders"; readonly data: { readonly skipped: number; readonly orders: readonly ListedOrder[] } };

export const eventNames = ["hello", "history", "sample", "cluster", "stocks", "orders"] as const;
