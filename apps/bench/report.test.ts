import { expect, test } from "vitest";
import type { BenchResult } from "./bench.ts";
import type { Summary } from "./measurement.ts";
import { drawBench } from "./plot.ts";
import { formatReport } from "./report.ts";

function summary(requestsPerSecond: number, change: Partial<Summary> = {}): Summary {
  return {
    requestsPerSecond,
    requestsPerSecondByRound: [requestsPerSecond - 1000, requestsPerSecond, requestsPerSecond + 500],
    p50Ms: 2.441,
    p99Ms: 7,
    ok: 90_000,
    errors: 0,
    cpuMicros: {},
    ...change,
  };
}

const result: BenchResult = {
  startedAt: "2026-01-02T03:04:05.000Z",
  machine: {
    cpu: "Example CPU",
    cores: 2,
    memoryGib: 8,
    system: "linux",
    bun: "1.4.5",
    loadTool: "wrk 4.1.0",
    fileSystem: "ext4",
    fsyncMs: 0.5,
  },
  options: {
    seconds: 3,
    warmUpSeconds: 2,
    rounds: 3,
    connections: [64],
    rows: ["trades"],
    systems: ["service", "yardstick", "naive"],
    tool: "wrk",
  },
  environment: { ORDER_MIN_COPIES: "2" },
  rows: [
    {
      what: "trades, 64 connections",
      kind: "trades",
      connections: 64,
      systems: {
        service: summary(30_000, { cpuMicros: { "front-end": 30, leader: 20, followers: 15, catalog: 10, load: 5 } }),
        yardstick: summary(80_000),
        naive: summary(1500, { errors: 12 }),
      },
    },
  ],
  otherWork: { median: 0.021, most: 0.4 },
  checks: [{ replies: 100, ledgerRows: 103, unequalReplicas: [] }],
};

/** The cells of the row that begins with `start`. */
function row(report: string, ...start: string[]): string[] {
  const rows = report.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.find((cells) => start.every((cell, index) => cells[index] === cell)) ?? [];
}

test("the report shows the rate of lookups beside trades", () => {
  const rowOf = (kind: "lookups" | "mixed", rate: number) => ({
    what: kind,
    kind,
    connections: 64,
    systems: { service: summary(rate) },
  });
  const rows = [...result.rows, rowOf("lookups", 40_000), rowOf("mixed", 24_000)];
  expect(formatReport({ ...result, rows })).toContain("answered 20,000 lookups/s, 50% of its rate without them");
  expect(formatReport(result)).not.toContain("lookups/s");
});

test("the picture shows each rate as a share of the yardstick, and is refused without a yardstick", async () => {
  const svg = await drawBench(result);
  for (const text of ["trades, 64 connections", "30,000/s", "80,000/s", "1,500/s", "naive"])
    expect(svg).toContain(text);
  const [row] = result.rows;
  const alone = { ...result, rows: [{ ...row, systems: { service: summary(1) } }] } as BenchResult;
  await expect(drawBench(alone)).rejects.toThrow("--systems must include yardstick");
});

test("the report begins with the rates of all systems in one line for each load", () => {
  const report = formatReport(result);
  const cells = ["trades, 64 connections", "30,000", "2.44", "7.00", "80,000", "1,500"];
  expect(row(report, "requests/s")).toEqual(["requests/s", "service", "p50 ms", "p99 ms", "yardstick", "naive"]);
  expect(row(report, "trades, 64 connections")).toEqual(cells);
});

test("the report shows absolute figures, and both ratios where they apply", () => {
  const report = formatReport(result);
  expect(row(report, "trades, 64 connections", "service").slice(2)).toEqual([
    "30,000",
    "29,000–30,500",
    "2.44",
    "7.00",
    "38%",
    "20.0×",
    "0",
  ]);
  expect(row(report, "", "yardstick").slice(6)).toEqual(["", "53.3×", "0"]);
  expect(row(report, "", "naive").slice(6)).toEqual(["1.9%", "", "12"]);
});

test("the report shows CPU time by process, and their sum without the load generator", () => {
  const cpu = formatReport(result).split("CPU µs per request")[1] ?? "";
  expect(row(cpu, "trades, 64 connections", "service").slice(2)).toEqual([
    "30.0",
    "20.0",
    "15.0",
    "10.0",
    "75.0",
    "5.0",
  ]);
});

test("the report shows changed settings, other work on the machine, and that no trade was lost", () => {
  const report = formatReport(result);
  expect(report).toContain(
    "Other work on the machine took 2.1% of its CPU time meanwhile (median of all runs; at most 40%).",
  );
  expect(report).toContain("ORDER_MIN_COPIES=2");
  expect(report).toContain(
    "Nothing was lost in 1 run of the service with trades: 100 answered with 200,\n103 in the ledger",
  );
});

test("the report shows a loss and the replicas that differ", () => {
  const lost = { replies: 100, ledgerRows: 99, unequalReplicas: [2] };
  const report = formatReport({ ...result, checks: [...result.checks, lost] });
  expect(report).toContain(
    "LOST by service: 100 trades answered with 200, 99 in the ledger; unlike the ledger: replica 2.",
  );
  expect(report).not.toContain("Nothing was lost");
});
