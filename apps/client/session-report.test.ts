import { expect, test } from "vitest";
import { formatRun } from "./session-report.ts";
import type { RunResult } from "./sessions.ts";

const none = { count: 0, p50Ms: 0, p90Ms: 0, p99Ms: 0, maxMs: 0 };
const some = { count: 1000, p50Ms: 0.5, p90Ms: 1.234, p99Ms: 12, maxMs: 120.5 };
const result: RunResult = {
  ok: true,
  answered: true,
  url: "http://127.0.0.1:8080",
  type: "session-check",
  clients: 5,
  requests: 200,
  p: 0.4,
  tookMs: 2345,
  requestsPerSecond: 600,
  lookups: { ...some, hits: { ...some, count: 900 }, misses: { ...some, count: 100 } },
  trades: { ...some, count: 400, accepted: 398, refused: 2 },
  orders: { ...some, count: 398, found: 398 },
  retried: 0,
  mismatches: { count: 0, first: [] },
  failures: { count: 0, first: [] },
};

test("a run is shown as a table of latencies and the result of the check", () => {
  expect(formatRun(result)).toBe(`http://127.0.0.1:8080: 5 clients, 200 lookups each, a trade after 40% of them
2.3 s, 600 requests/s

ms             count   p50   p90    p99     max
lookups        1,000  0.50  1.23  12.00  120.50
  hits           900  0.50  1.23  12.00  120.50
  misses         100  0.50  1.23  12.00  120.50
trades           400  0.50  1.23  12.00  120.50
order queries    398  0.50  1.23  12.00  120.50

Trades: 398 accepted, 2 rejected.
Orders: all 398 acknowledged orders were found and match their trades.
`);
});

test("without an accepted trade there is no order to check", () => {
  const text = formatRun({ ...result, trades: { ...none, accepted: 0, refused: 0 }, orders: { ...none, found: 0 } });
  expect(text).toContain("\nOrders: none was acknowledged, so there was nothing to check.\n");
});

test("a kind of request with no requests has no row, and only the first mismatches are shown", () => {
  const text = formatRun({
    ...result,
    ok: false,
    type: "session-check",
    lookups: { ...some, hits: none, misses: some },
    retried: 3,
    mismatches: { count: 9, first: Array.from({ length: 9 }, (_, index) => `order ${index}`) },
    failures: { count: 1, first: ["a lookup"] },
  });
  expect(text).not.toContain("hits");
  expect(text).toContain("600 requests/s, 3 sent again");
  expect(text.split("\n").slice(-9)).toEqual([
    "Trades: 398 accepted, 2 rejected.",
    ...[0, 1, 2, 3, 4].map((index) => `MISMATCH order ${index}`),
    "MISMATCH … 9 in all",
    "FAILED a lookup",
    "",
  ]);
});
