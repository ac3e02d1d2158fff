/** Samples of the traffic: order rate, trade latency and hit rate. Pure: a sample is the difference of two readings of counters. */

import type { Sample } from "@stock-bazaar/contract/events";

export interface Counters {
  readonly atMs: number;
  /** The ledger's last id; absent when the catalog doesn't answer. */
  readonly head: number | undefined;
  readonly hits: number;
  readonly misses: number;
}

/** The figures of a sample, without its time. */
export type Traffic = Omit<Sample, "at">;

/** `tradeTimesMs` are those of the trades between the two readings, shortest first. */
export function trafficBetween(before: Counters, after: Counters, tradeTimesMs: Float64Array): Traffic {
  const seconds = (after.atMs - before.atMs) / 1000;
  const orders = before.head === undefined || after.head === undefined ? -1 : after.head - before.head;
  const hits = after.hits - before.hits;
  const lookups = hits + after.misses - before.misses;
  return {
    // A rebuilt ledger may be shorter than the one before.
    orders_per_second: orders < 0 || seconds <= 0 ? null : rounded(orders / seconds, 1),
    p50_ms: quantile(tradeTimesMs, 0.5),
    p99_ms: quantile(tradeTimesMs, 0.99),
    hit_rate: lookups > 0 && hits >= 0 ? rounded(hits / lookups, 4) : null,
  };
}

/** The time that this share of the requests took at most. `null` without requests. */
function quantile(timesMs: Float64Array, share: number): number | null {
  const time = timesMs[Math.ceil(share * timesMs.length) - 1];
  return time === undefined ? null : rounded(time, 3);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
