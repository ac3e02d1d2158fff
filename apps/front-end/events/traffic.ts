/**
 * Samples of the traffic: order rate, trade latency and hit rate, from counters that exist anyway. Pure: a sample is
 * the difference of two readings of the counters, so it adds no work to a trade.
 */

import type { Sample } from "@stock-bazaar/contract/events";
import type { LatencyBucket } from "../http/latency.ts";

export interface Counters {
  readonly atMs: number;
  /** The ledger's last id; absent when the catalog doesn't answer. */
  readonly head: number | undefined;
  readonly hits: number;
  readonly misses: number;
  /** Latencies of the trades through this front-end, shortest first. */
  readonly tradeLatencies: readonly LatencyBucket[];
}

/** The figures of a sample, without its time. */
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
    // A rebuilt ledger may be shorter than the one before.
    orders_per_second: orders < 0 || seconds <= 0 ? null : rounded(orders / seconds, 1),
    p50_ms: quantileMs(latencies, 0.5),
    p99_ms: quantileMs(latencies, 0.99),
    hit_rate: lookups > 0 && hits >= 0 ? rounded(hits / lookups, 4) : null,
  };
}

/** Estimates a quantile like Prometheus: requests are spread evenly within a bucket. `null` without requests. */
export function quantileMs(buckets: readonly LatencyBucket[], quantile: number): number | null {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return null;
  const wanted = quantile * total;
  const index = buckets.findIndex(({ count }) => count >= wanted);
  const lower = buckets[index - 1] ?? { upToSeconds: 0, count: 0 };
  const { upToSeconds, count } = buckets[index] ?? lower;
  // The last bucket has no upper bound, so its lower bound is returned.
  if (!Number.isFinite(upToSeconds)) return rounded(lower.upToSeconds * 1000, 3);
  const share = count === lower.count ? 1 : (wanted - lower.count) / (count - lower.count);
  return rounded((lower.upToSeconds + (upToSeconds - lower.upToSeconds) * share) * 1000, 3);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
