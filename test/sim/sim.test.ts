/**
 * The promises I1–I9 under every kind of fault: hundreds of runs of the production code, each determined by its seed. CI runs
 * thousands, and proves with the mutations that a check fails if a rule is missing (`npm run sim`).
 */

import { describe, expect, test } from "vitest";
import { directedCases } from "./directed/index.ts";
import { simulatePartitions } from "./partitions/simulate-partitions.ts";
import { runSeeds } from "./runs.ts";
import { simulate } from "./simulate.ts";

const seedsCount = 500;
const partitions = 4;
const partitionedSeedsCount = 20;

describe("directed cases", () => {
  test.each(directedCases)("$title", async ({ run }) => {
    expect(await run()).toEqual([]);
  });
});

describe("seeds", () => {
  test("the same seed gives the same run", () => {
    const first = simulate(7, { trace: true });
    expect(first.trace.length).toBeGreaterThan(100);
    expect(simulate(7, { trace: true })).toEqual(first);
  });

  test(`no promise is broken in ${seedsCount} seeds`, async () => {
    const broken: string[] = [];
    const total = { seeds: 0, trades: 0, cacheHits: 0, faults: 0 };
    await runSeeds({
      first: 1,
      count: seedsCount,
      ran({ seed, violations, trades, cacheHits, faults }) {
        total.seeds += 1;
        total.trades += trades;
        total.cacheHits += cacheHits;
        total.faults += faults;
        for (const violation of violations) broken.push(`seed ${seed}: ${violation}`);
        return true;
      },
    });
    expect(broken).toEqual([]);
    expect(total.seeds).toBe(seedsCount);
    // A run in which nothing happens proves nothing.
    expect(total.trades).toBeGreaterThan(20 * seedsCount);
    expect(total.cacheHits).toBeGreaterThan(5 * seedsCount);
    expect(total.faults).toBeGreaterThan(5 * seedsCount);
  });
});

describe("several ledgers beside each other", () => {
  test("the same seed gives the same run", () => {
    const first = simulatePartitions(7, partitions, { trace: true });
    expect(first.trace.length).toBeGreaterThan(100);
    expect(simulatePartitions(7, partitions, { trace: true })).toEqual(first);
  });

  test(`no promise is broken in ${partitionedSeedsCount} seeds with ${partitions} of them`, async () => {
    const broken: string[] = [];
    const total = { seeds: 0, trades: 0, orders: 0, faults: 0 };
    await runSeeds({
      first: 1,
      count: partitionedSeedsCount,
      partitions,
      ran({ seed, violations, trades, orders, faults }) {
        total.seeds += 1;
        total.trades += trades;
        total.orders += orders;
        total.faults += faults;
        for (const violation of violations) broken.push(`seed ${seed}: ${violation}`);
        return true;
      },
    });
    expect(broken).toEqual([]);
    expect(total.seeds).toBe(partitionedSeedsCount);
    expect(total.trades).toBeGreaterThan(100 * partitionedSeedsCount);
    expect(total.orders).toBeGreaterThan(20 * partitionedSeedsCount);
    expect(total.faults).toBeGreaterThan(20 * partitionedSeedsCount);
  });
});
