/** Formats the results of experiments as Markdown, for a terminal and for documents. */

import { counted, percent, whole } from "@stock-bazaar/report/figures";
import { formatMachine } from "@stock-bazaar/report/machine";
import { median, percentile } from "@stock-bazaar/report/statistics";
import { markdownTable } from "@stock-bazaar/report/table";
import type { CatalogFailoverResult } from "./catalog-failover.ts";
import type { CatchUpRow } from "./catch-up.ts";
import type { CopiesRow } from "./copies.ts";
import type { ExperimentResult } from "./experiments.ts";
import type { FailoverResult } from "./failover.ts";
import type { LedgerSizeRow } from "./ledger-size.ts";
import type { SoakResult } from "./soak.ts";

export function formatExperiments({
  startedAt,
  machine,
  options,
  failovers,
  catalogFailovers,
  copies,
  ledgerSizes,
  catchUps,
  soak,
}: ExperimentResult): string {
  const parts = [
    [
      `${formatMachine(startedAt, machine)} ${counted(options.connections, "connection")}; ${options.seconds} s for each rate, after ${options.warmUpSeconds} s of warm-up.`,
    ],
    failovers.length > 0 ? failoverTable(failovers) : [],
    catalogFailovers.length > 0 ? catalogFailoverTable(catalogFailovers) : [],
    copies.length > 0 ? copiesTable(copies) : [],
    ledgerSizes.length > 0 ? ledgerTable(ledgerSizes) : [],
    catchUps.length > 0 ? catchUpTable(catchUps) : [],
    soak ? soakTable(soak) : [],
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")
    .concat("\n");
}

function failoverTable(failovers: readonly FailoverResult[]): string[] {
  return markdownTable(
    ["the leader dies by", "times", "silence p50 ms", "p90 ms", "longest ms", "trades", "failed"],
    1,
    failovers.map(({ how, silencesMs, trades, failed }) => {
      const sorted = [...silencesMs].sort((a, b) => a - b);
      const silences = [50, 90, 100].map((percent) => whole(percentile(sorted, percent)));
      return [how, whole(sorted.length), ...silences, whole(trades), whole(failed)];
    }),
  );
}

function catalogFailoverTable(failovers: readonly CatalogFailoverResult[]): string[] {
  const header = ["the active catalog dies by", "times", "longest wait: least ms", "p50 ms", "p95 ms", "most ms"];
  return markdownTable(
    [...header, "trades", "failed"],
    1,
    failovers.map(({ how, waitsMs, trades, failed }) => {
      const sorted = [...waitsMs].sort((a, b) => a - b);
      const waits = [0, 50, 95, 100].map((percent) => whole(percentile(sorted, percent)));
      return [how, whole(sorted.length), ...waits, whole(trades), whole(failed)];
    }),
  );
}

function copiesTable(copies: readonly CopiesRow[]): string[] {
  return markdownTable(
    ["live replicas", "`ORDER_MIN_COPIES`", "trades/s", "p50 ms", "p99 ms"],
    0,
    copies.map(({ liveReplicas, minCopies, tradesPerSecond, p50Ms, p99Ms }) => [
      whole(liveReplicas),
      whole(minCopies),
      whole(tradesPerSecond),
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
    ]),
  );
}

function ledgerTable(rows: readonly LedgerSizeRow[]): string[] {
  const header = [
    "orders in the ledger",
    "trades/s",
    "of the first",
    "lowest–highest",
    "p99 ms",
    "start of a replica ms",
    "most memory MiB",
    "of",
  ];
  return markdownTable(
    header,
    0,
    rows.map(({ orders, tradesPerSecond, ratio, p99Ms, replicaStartMs, memoryMib }) => {
      const [largest = ["", 0]] = Object.entries(memoryMib).sort(([, a], [, b]) => b - a);
      return [
        whole(orders),
        whole(tradesPerSecond),
        percent(ratio?.median),
        `${percent(ratio?.least)}–${percent(ratio?.most)}`,
        p99Ms.toFixed(2),
        whole(replicaStartMs),
        whole(largest[1]),
        largest[0],
      ];
    }),
  );
}

function catchUpTable(rows: readonly CatchUpRow[]): string[] {
  return markdownTable(
    ["orders in the ledger", "catch-up orders/s", "lowest–highest", "rounds"],
    0,
    rows.map(({ orders, perSecond }) => [
      whole(orders),
      whole(median(perSecond) ?? 0),
      `${whole(Math.min(...perSecond))}–${whole(Math.max(...perSecond))}`,
      whole(perSecond.length),
    ]),
  );
}

function soakTable({ minutes, trades, lookups, errors, memoryMib }: SoakResult): string[] {
  const moments = [1, Math.ceil(minutes / 2), minutes].filter((minute, index, all) => all.indexOf(minute) === index);
  return [
    `${whole(trades)} trades and ${whole(lookups)} lookups in ${counted(minutes, "minute")}, ${whole(errors)} failed. MiB of each process:`,
    "",
    ...markdownTable(
      ["process", ...moments.map((minute) => `after ${minute} min`), "most"],
      0,
      Object.entries(memoryMib).map(([name, mib]) => [
        name,
        ...moments.map((minute) => whole(mib[minute - 1] ?? 0)),
        whole(Math.max(...mib)),
      ]),
    ),
  ];
}
