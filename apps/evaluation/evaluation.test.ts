import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "@stock-bazaar/client/sessions";
import { describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { formatDocument, table } from "./document.ts";
import { type EvaluationResult, type Measured, summarize } from "./evaluation.ts";
import { drawPlots } from "./plots.ts";
import { writeEvaluation } from "./write.ts";

const none = { count: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 };

function latencies(p50Ms: number, count = 100) {
  return { count, p50Ms, p90Ms: p50Ms * 2, p99Ms: p50Ms * 3, maxMs: p50Ms * 4 };
}

function measured(change: Partial<Measured> = {}): Measured {
  return {
    lookups: latencies(1),
    hitShare: 0.5,
    trades: latencies(4),
    orders: latencies(0.5),
    requestsPerSecond: 1234.4,
    ordersFound: 50,
    ...change,
  };
}

const result: EvaluationResult = {
  startedAt: "2026-01-02T03:04:05.000Z",
  tookMs: 1000,
  machine: {
    cpu: "Example CPU",
    cores: 2,
    memoryGib: 8,
    system: "linux",
    bun: "1.4.5",
    fileSystem: "ext4",
    fsyncMs: 0.5,
  },
  busyBefore: 0.02,
  options: { p: [0, 0.4], cache: ["on", "off"], clients: 5, requests: 100, warmUp: 10, rounds: 1, seed: 1 },
  points: [
    { p: 0, cache: "on", measured: measured({ trades: none, orders: none, ordersFound: 0 }) },
    { p: 0, cache: "off", measured: measured({ trades: none, orders: none, ordersFound: 0, hitShare: 0 }) },
    { p: 0.4, cache: "on", measured: measured() },
    { p: 0.4, cache: "off", measured: measured({ hitShare: 0, lookups: latencies(2.5) }) },
  ],
};

test("the table has a row per share and setting, and empty cells where nothing was measured", () => {
  const rows = table(result.points).map((line) => line.split("|").map((cell) => cell.trim()));
  expect(rows[2]).toEqual([
    "",
    "0%",
    "on",
    "50%",
    "1.00",
    "2.00",
    "3.00",
    "4.00",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "1,234",
    "",
  ]);
  expect(rows[5]).toEqual([
    "",
    "40%",
    "off",
    "",
    "2.50",
    "5.00",
    "7.50",
    "10.00",
    "4.00",
    "8.00",
    "12.00",
    "16.00",
    "0.50",
    "1.00",
    "1.50",
    "2.00",
    "1,234",
    "",
  ]);
});

test("the page shows what was measured, and whether the machine was busy", () => {
  const page = formatDocument(result, []);
  expect(page).toContain("median of 1 round.");
  expect(page).toContain("all 100 were found");
  expect(page).toContain("otherwise idle: 2.0%");
  expect(page).toContain("A short run**: 100 lookups per client instead of 1,000");
  const long = { ...result, options: { ...result.options, requests: 1000 } };
  expect(formatDocument(long, [])).not.toContain("short run");
  expect(page).toContain(
    "--p 0,0.4 --cache on,off --clients 5 \\\n  --requests 100 --warm-up 10 --rounds 1 --seed 1\n",
  );
  expect(formatDocument({ ...result, busyBefore: 0.6 }, [])).toContain("busy with other work**: 60%");
  expect(formatDocument({ ...result, busyBefore: undefined }, [])).not.toContain("CPU time");
});

test("the page on a remote bazaar shows its URL, and no disks and settings, which are unknown", async () => {
  const remote: EvaluationResult = {
    ...result,
    options: { ...result.options, url: "http://bazaar.example:8080" },
    points: [{ p: 0.4, cache: "as it is", measured: measured() }],
  };
  const page = formatDocument(remote, []);
  expect(page).toContain("on the bazaar at http://bazaar.example:8080,");
  expect(page).toContain("2026-01-02: measured from Example CPU, 2 cores");
  expect(page).toMatch(/^\| 40% +\| as it is +\| +50% \|/m);
  expect(page).toContain("--p 0,0.4 --url http://bazaar.example:8080 --clients 5");
  expect(page).not.toMatch(/ext4|fsync|CACHE_SIZE|share the cores|one front-end/);
  for (const { svg } of await drawPlots(remote)) {
    expect(svg).toContain("cache as it is");
    expect(svg).not.toContain("cache off");
  }
});

describe("the figures of several rounds", () => {
  const run = (p50Ms: number, hits: number) =>
    ({
      lookups: { ...latencies(p50Ms), hits: latencies(p50Ms, hits), misses: none },
      trades: latencies(p50Ms),
      orders: { ...latencies(p50Ms / 2, 7), found: 7 },
      requestsPerSecond: p50Ms * 100,
    }) as unknown as RunResult;

  test("are their medians; counts are sums", () => {
    const { lookups, orders, hitShare, requestsPerSecond, ordersFound } = summarize([
      run(2, 20),
      run(1, 10),
      run(9, 90),
    ]);
    expect(lookups).toEqual({ count: 300, p50Ms: 2, p90Ms: 4, p99Ms: 6, maxMs: 8 });
    expect(orders).toEqual({ count: 21, p50Ms: 1, p90Ms: 2, p99Ms: 3, maxMs: 4 });
    expect({ hitShare, requestsPerSecond, ordersFound }).toEqual({
      hitShare: 0.2,
      requestsPerSecond: 200,
      ordersFound: 21,
    });
  });
});

test("plots are complete SVG files with a curve for each setting and percentile", async () => {
  const plots = await drawPlots(result);
  expect(plots.map(({ name }) => name)).toEqual(["lookups", "trades", "orders", "throughput"]);
  for (const { svg } of plots) {
    expect(svg).toMatch(/^<svg[^]*<\/svg>\n$/);
    expect(svg).toContain("cache off");
    // A reader's browser would load it with the page.
    expect(svg).not.toMatch(/href="http|url\(http/);
  }
  expect(plots[0]?.svg.match(/mark-line/g)?.length).toBeGreaterThanOrEqual(1);
  expect(plots[0]?.svg).toContain("p99");
  expect(plots[2]?.svg).toContain("p99");
  expect(plots[3]?.svg).not.toContain("p99");
});

test("without a trade, an empty plot of trades is drawn, without a warning", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const untraded = { ...result, points: result.points.slice(0, 2) };
  const plots = await drawPlots(untraded);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  expect(plots.map(({ name }) => name)).toEqual(["lookups", "trades", "orders", "throughput"]);
});

test("a result replaces the files of an older one and touches nothing else", async () => {
  const parent = temporaryFolder();
  const folder = join(parent, "evaluation");
  const written = await writeEvaluation(folder, result);
  writeFileSync(join(folder, "notes.md"), "mine");
  await writeEvaluation(folder, { ...result, tookMs: 2000 });
  expect(readdirSync(parent)).toEqual(["evaluation"]);
  expect(readdirSync(folder).sort()).toEqual(
    ["README.md", "evaluation.json", "lookups.svg", "notes.md", "orders.svg", "throughput.svg", "trades.svg"].sort(),
  );
  expect(written).toContain(join(folder, "trades.svg"));
  expect(readFileSync(join(folder, "evaluation.json"), "utf8")).toContain('"tookMs": 2000');
});

test("if a plot can't be drawn, nothing is written", async () => {
  const parent = temporaryFolder();
  const broken = { ...result, points: undefined } as unknown as EvaluationResult;
  await expect(writeEvaluation(join(parent, "evaluation"), broken)).rejects.toThrow("points");
  expect(readdirSync(parent)).toEqual([]);
});
