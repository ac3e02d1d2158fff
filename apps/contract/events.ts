/** The server-sent events of `GET /events`. */

import type { Cluster, ListedOrder, ListedStock } from "./replies.ts";

/** The traffic of one second. A value is `null` if nothing happened from which to compute it. */
export interface Sample {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Of the whole bazaar, through every front-end. */
  readonly orders_per_second: number | null;
  /** Of the trades through this front-end. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** Lookups through this front-end that its cache answered, from 0 to 1. */
  readonly hit_rate: number | null;
}

export type ServerEvent =
  | {
      readonly event: "hello";
      readonly data: {
        /** May this listener ask for faults? */
        readonly faults: boolean;
      };
    }
  | {
      readonly event: "history";
      readonly data: {
        /** Time between two samples. The dashboard uses the time of each sample instead. */
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
        readonly stocks: readonly ListedStock[];
        /** In a complete page, the value of `after` for the next page; absent in the last page. */
        readonly next?: string;
      };
    }
  | { readonly event: "orders"; readonly data: { readonly skipped: number; readonly orders: readonly ListedOrder[] } };

export const eventNames = ["hello", "history", "sample", "cluster", "stocks", "orders"] as const;
