import { expect, test } from "vitest";
import { NewestTimes } from "../http/latency.ts";
import { type Counters, trafficBetween } from "./traffic.ts";

const counters = (change: Partial<Counters>): Counters => ({ atMs: 0, head: 0, hits: 0, misses: 0, ...change });

function times(...ms: number[]): Float64Array {
  const newest = new NewestTimes();
  for (const each of ms) newest.add(each);
  return newest.take();
}

test("the figures cover the time between the two readings, not the time since the start", () => {
  const before = counters({ atMs: 1000, head: 100, hits: 50, misses: 50 });
  const after = counters({ atMs: 3000, head: 300, hits: 80, misses: 60 });
  expect(trafficBetween(before, after, times(7, 3, 5))).toEqual({
    orders_per_second: 100,
    p50_ms: 5,
    p99_ms: 7,
    hit_rate: 0.75,
  });
});

test("without any request, the order rate is 0 and the other figures are null", () => {
  const same = counters({ head: 7, hits: 3 });
  expect(trafficBetween(same, { ...same, atMs: 1000 }, times())).toEqual({
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
  const traffic = trafficBetween(counters({ head }), counters({ head: later, atMs: 1000 }), times());
  expect(traffic.orders_per_second).toBeNull();
});

test("times are those that were measured: of one trade its own, and none above the longest", () => {
  const between = (...ms: number[]) => trafficBetween(counters({}), counters({ atMs: 1000 }), times(...ms));
  expect(between(28)).toMatchObject({ p50_ms: 28, p99_ms: 28 });
  expect(between(1, 2, 2800)).toMatchObject({ p50_ms: 2, p99_ms: 2800 });
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(between(...hundred)).toMatchObject({ p50_ms: 50, p99_ms: 99 });
});

test("each time is taken once, and of very many only the newest", () => {
  const newest = new NewestTimes();
  for (let ms = 1; ms <= 5000; ms += 1) newest.add(ms);
  const taken = newest.take();
  expect([taken.length, taken[0], taken.at(-1)]).toEqual([4096, 905, 5000]);
  expect(newest.take()).toHaveLength(0);
  newest.add(3);
  expect([...newest.take()]).toEqual([3]);
});
