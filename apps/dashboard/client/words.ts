/**
 * What the front-end tells the page: the data of its events and replies, as the API documents them. The front-end is held
 * to the events by this type.
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
  /** What it said last, also when it is away now. */
  readonly role: "leader" | "follower" | "taking-over" | null;
  readonly last_id: number | null;
  /** Orders that it misses. */
  readonly lag: number | null;
}

export interface FrontEnd {
  readonly address: string;
  readonly state: "live" | "away";
  /** How it words its routes and replies. */
  readonly dialect: string;
}

export interface Cluster {
  readonly leader: number | null;
  readonly term: number;
  /** `read-only`: its ledger can't be written now. `refusing`: it was longer once, and a person must decide. */
  readonly catalog: {
    readonly state: "live" | "read-only" | "away" | "refusing";
    readonly last_id: number | null;
    /** How many there are. */
    readonly stocks: number | null;
    readonly problem?: string | undefined;
  };
  /** The one that tells, then the others. */
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
        /** Between two samples. For other listeners: the page goes by the time of each. */
        readonly interval_ms: number;
        readonly samples: readonly Sample[];
      };
    }
  | { readonly event: "sample"; readonly data: Sample }
  | { readonly event: "cluster"; readonly data: Cluster }
  | {
      readonly event: "stocks";
      readonly data: {
        /** All of the page that was asked for; else those of it that changed. */
        readonly complete: boolean;
        readonly stocks: readonly Stock[];
        /** With a complete page: the `after` that asks for the next one; absent in the last. */
        readonly next?: string;
      };
    }
  | { readonly event: "orders"; readonly data: { readonly skipped: number; readonly orders: readonly ListedOrder[] } };

export const eventNames = ["hello", "history", "sample", "cluster", "stocks", "orders"] as const;
