import { expect, test } from "vitest";
import type { PairedSummary, PairsResult } from "./pairs.ts";
import { describeLosses, formatPairs } from "./report.ts";

function summary(side: string, rate: number, ratio: number): PairedSummary {
  return {
    side,
    requestsPerSecond: rate,
    requestsPerSecondByRound: [rate],
    p50Ms: 2.441,
    p99Ms: 7,
    ok: 90_000,
    errors: 0,
    cpuMicros: { "front-end": 30, leader: 20, followers: 15, catalog: 10, load: 5 },
    rateRatio: { median: ratio, least: ratio - 0.1, most: ratio + 0.1 },
    cpuRatio: { median: 1 / ratio, least: 0, most: 1 },
  };
}

const options = { seconds: 3, warmUpSeconds: 20, rounds: 7, connections: [64], systems: [], tool: "wrk" } as const;
const machine = { cpu: "Example CPU", cores: 2, memoryGib: 8, system: "linux", bun: "1.4.5", loadTool: "wrk 4.1.0" };

const result: PairsResult = {
  startedAt: "2026-01-02T03:04:05.000Z",
  machine: { ...machine, fileSystem: "ext4", fsyncMs: 0.5 },
  options: { ...options, rows: ["trades"], against: [] },
  environment: {},
  checkouts: [
    { name: "../v1", folder: "/v1", version: "1.0.0, commit 99809f8" },
    { name: "this checkout", folder: "/v2", version: "1.0.0" },
  ],
  rows: [
    {
      what: "trades, 64 connections",
      kind: "trades",
      connections: 64,
      sides: [summary("../v1", 10_000, 1), summary("this checkout", 16_000, 1.6)],
    },
  ],
  lookupsBesideTrades: [{ side: "../v1", lookupsPerSecond: 20_000, share: { median: 0.5, least: 0.45, most: 0.6 } }],
  otherWork: undefined,
  checks: [
    { side: "../v1", replies: 100, ledgerRows: 103, unequalReplicas: [] },
    { side: "this checkout", replies: 100, ledgerRows: 99, unequalReplicas: [2] },
  ],
};

test("the report shows each side's figures and its ratios to the first", () => {
  const lines = formatPairs(result).split("\n");
  const cells = (name: string) =>
    lines
      .find((line) => line.includes(`| ${name}`))
      ?.split("|")
      .slice(2, -1)
      .map((cell) => cell.trim());
  expect(cells("../v1")).toEqual(["../v1", "10,000", "1.00", "", "2.44", "7.00", "75.0", "1.00", "0"]);
  const own = ["this checkout", "16,000", "1.60", "1.50–1.70", "2.44", "7.00", "75.0", "0.63", "0"];
  expect(cells("this checkout")).toEqual(own);
});

test("the report names the versions, the share of lookups beside trades, and what was lost", () => {
  const report = formatPairs(result);
  expect(report).toContain("- ../v1: 1.0.0, commit 99809f8\n- this checkout: 1.0.0\n");
  expect(report).toContain("Beside trades, ../v1 answered 20,000 lookups/s, 50% of its rate without them (45%–60%).");
  expect(report).toContain("../v1 lost nothing: 100 trades answered with 200, 103 orders in its ledger");
  const loss = "LOST by this checkout: 100 trades answered with 200, 99 in the ledger; unlike the ledger: replica 2.";
  expect(report).toContain(loss);
  expect(describeLosses(result)).toEqual([loss]);
});
