/** Formats the result of a run for people. */

import { counted, seconds, whole } from "@stock-bazaar/report/figures";
import { columns } from "@stock-bazaar/report/table";
import type { LatencySummary } from "./latencies.ts";
import type { RunResult } from "./sessions.ts";

const shownMax = 5;

export function formatRun(result: RunResult): string {
  const { url, clients, requests, type, p, tookMs, requestsPerSecond, retried } = result;
  const { lookups, trades, orders } = result;
  const trading = type === "lookup" ? "" : `, a trade after ${Math.round(p * 100)}% of them`;
  const rows: [string, LatencySummary][] = [
    ["lookups", lookups],
    ["  hits", lookups.hits],
    ["  misses", lookups.misses],
    ["trades", trades],
    ["order queries", orders],
  ];
  return [
    `${url}: ${counted(clients, "client")}, ${counted(requests, "lookup")} each${trading}`,
    `${seconds(tookMs)}, ${whole(requestsPerSecond)} requests/s${retried > 0 ? `, ${whole(retried)} sent again` : ""}`,
    "",
    ...columns([["ms", "count", "p50", "p90", "p99", "max"], ...rows.filter(([, { count }]) => count > 0).map(row)], 1),
    "",
    ...describeOutcome(result),
    "",
  ].join("\n");
}

/** The outcome in lines: trades, problems, and the result of the check. */
function describeOutcome({ type, trades, orders, mismatches, failures, answered }: RunResult): string[] {
  const lines: string[] = [];
  if (type !== "lookup") lines.push(`Trades: ${whole(trades.accepted)} accepted, ${whole(trades.refused)} rejected.`);
  lines.push(...list("MISMATCH", mismatches), ...list("FAILED", failures));
  if (!answered) return [...lines, "The bazaar stopped answering, so the run ended early."];
  if (type !== "session-check" || mismatches.count > 0) return lines;
  const found = `all ${whole(orders.found)} acknowledged orders were found and match their trades`;
  return [
    ...lines,
    `Orders: ${trades.accepted === 0 ? "none was acknowledged, so there was nothing to check" : found}.`,
  ];
}

function list(word: string, { count, first }: RunResult["mismatches"]): string[] {
  const shown = first.slice(0, shownMax).map((text) => `${word} ${text}`);
  return count > shown.length ? [...shown, `${word} … ${whole(count)} in all`] : shown;
}

function row([what, { count, p50Ms, p90Ms, p99Ms, maxMs }]: [string, LatencySummary]): string[] {
  return [what, whole(count), ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(2))];
}
