import { expect, test } from "vitest";
import { type Counters, quantileMs, trafficBetween } from "./traffic.ts";

/** Cumulative counts for bounds of 1 ms, 10 ms, 100 ms and beyond. */
const buckets = (...counts: number[]) =>
  [0.001, 0.01, 0.1, Infinity].map((upToSeconds, index) => ({ upToSeconds, count: counts[index] ?? 0 }));

const counters = (change: Partial<Counters>): Counters => ({
  atMs: 0,
  head: 0,
  hits: 0,
  misses: 0,
  tradeLatencies: buckets(0, 0, 0, 0),
  ...change,
});

test("the figures cover the time between the two readings, not the time since the start", () => {
  const before = counters({ atMs: 1000, head: 100, hits: 50, misses: 50, tradeLatencies: buckets(0, 0, 100, 100) });
  const after = counters({ atMs: 3000, head: 300, hits: 80, misses: 60, tradeLatencies: buckets(200, 200, 300, 300) });
  expect(trafficBetween(before, after)).toEqual({ orders_per_second: 100, p50_ms: 0.5, p99_ms: 0.99, hit_rate: 0.75 });
});

test("without any request, the order rate is 0 and the other figures are null", () => {
  const same = counters({ head: 7, hits: 3 });
  expect(trafficBetween(same, { ...same, atMs: 1000 })).toEqual({
    orders_per_second: 0,
    p50_ms: null,
    p99_ms: null,
    hit_rate: null,
  });
});

test.each([
  ["the catalog was away before", undefined, 10],
  ["the catalog is away now", 10, undefined],
  ["the ledger is shorter than before", 10, 3],
])("%s: the order rate is null", (_, head, later) => {
  const traffic = trafficBetween(counters({ head }), counters({ head: later, atMs: 1000 }));
  expect(traffic.orders_per_second).toBeNull();
});

test.each([
  ["in the middle of a bucket", buckets(0, 100, 100, 100), 0.5, 5.5],
  ["at a bucket's end", buckets(50, 100, 100, 100), 0.5, 1],
  ["beyond an empty bucket", buckets(50, 50, 100, 100), 0.99, 98.2],
  ["slower than all bounds", buckets(0, 0, 0, 10), 0.5, 100],
  ["of one request", buckets(0, 1, 1, 1), 0.99, 9.91],
])("a quantile %s", (_, latencies, quantile, expected) => {
  expect(quantileMs(latencies, quantile)).toBeCloseTo(expected, 3);
});

test("a quantile without requests is null", () => {
  expect(quantileMs(buckets(0, 0, 0, 0), 0.5)).toBeNull();
  expect(quantileMs([], 0.5)).toBeNull();
});
