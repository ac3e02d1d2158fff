/**
 * Figures over time from counters that are kept anyway: how many orders, how quick, how often from the cache. Pure: two
 * readings of the counters make one sample, so that nothing is measured while a trade is on its way.
 */

import type { Sample } from "@stock-bazaar/contract/events";
import type { LatencyBucket } from "../http/latency.ts";

export interface Counters {
  readonly atMs: number;
  /** The ledger's last id; absent when the catalog doesn't answer. */
  readonly head: number | undefined;
  readonly hits: number;
  readonly misses: number;
  /** Of trades through this front-end, shortest first. */
  readonly tradeLatencies: readonly LatencyBucket[];
}

/** A sample that doesn't know its time. */
export type Traffic = Omit<Sample, "at">;

export function trafficBetween(before: Counters, after: Counters): Traffic {
  const seconds = (after.atMs - before.atMs) / 1000;
  const orders = before.head === undefined || after.head === undefined ? -1 : after.head - before.head;
  const hits = after.hits - before.hits;
  const lookups = hits + after.misses - before.misses;
  const latencies = after.tradeLatencies.map(({ upToSeconds, count }, index) => ({
    upToSeconds,
    count: count - (before.tradeLatencies[index]?.count ?? 0),
  }));
  return {
    // A ledger that was made anew may be shorter than the one before.
    orders_per_second: orders < 0 || seconds <= 0 ? null : rounded(orders / seconds, 1),
    p50_ms: quantileMs(latencies, 0.5),
    p99_ms: quantileMs(latencies, 0.99),
    hit_rate: lookups > 0 && hits >= 0 ? rounded(hits / lookups, 4) : null,
  };
}

/** Within its bucket taken as evenly spread, as Prometheus does it. `null` without a request. */
export function quantileMs(buckets: readonly LatencyBucket[], quantile: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const wanted = quantile * total;
  const index = buckets.findIndex(({ count }) => count >= wanted);
  const lower = buckets[index - 1] ?? { upToSeconds: 0, count: 0 };
  const { upToSeconds, count } = buckets[index] ?? lower;
  // Of the last bucket only its beginning is known.
  if (!Number.isFinite(upToSeconds)) return rounded(lower.upToSeconds * 1000, 3);
  const share = count === lower.count ? 1 : (wanted - lower.count) / (count - lower.count);
  return rounded((lower.upToSeconds + (upToSeconds - lower.upToSeconds) * share) * 1000, 3);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
