/** Formats the result of a benchmark as Markdown, for a terminal and for documents. */

import { counted, percent, whole } from "@stock-bazaar/report/figures";
import { formatMachine } from "@stock-bazaar/report/machine";
import { ratio } from "@stock-bazaar/report/statistics";
import { markdownTable } from "@stock-bazaar/report/table";
import type { BenchResult, BenchRow } from "./bench.ts";
import { type CpuPart, type Summary, totalMicros } from "./measurement.ts";
import { type SystemName, systemNames } from "./names.ts";
import { isNothingLost, type LossCheck } from "./nothing-lost.ts";
import { lookupsOf } from "./rows.ts";

const none = "";

/** What both a comparison of systems and one of checkouts have. */
export type Conditions = Pick<BenchResult, "startedAt" | "machine" | "environment" | "otherWork"> & {
  readonly options: Pick<BenchResult["options"], "rounds" | "seconds" | "warmUpSeconds">;
};

/** The figures of one row, by the name of the system. */
export interface ShownRow {
  readonly what: string;
  readonly shown: readonly (readonly [name: string, summary: Summary])[];
}

export function formatReport(result: BenchResult): string {
  return [
    ...describeConditions(result),
    "",
    ...overviewTable(result.rows),
    ...ratesTable(result.rows),
    "",
    ...describeLookupsBesideTrades(result.rows),
    ...cpuTable(result.rows.map((row) => ({ what: row.what, shown: summaries(row) }))),
    "",
    ...describeChecks(result.checks),
  ]
    .join("\n")
    .concat("\n");
}

export function describeConditions({ startedAt, machine, options, environment, otherWork }: Conditions): string[] {
  const settings = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
  return [
    `${formatMachine(startedAt, machine)} Median of ${counted(options.rounds, "round")} of ${options.seconds} s,`,
    `after ${options.warmUpSeconds} s of warm-up each.${settings.length > 0 ? ` Set: ${settings.join(", ")}.` : ""}`,
    ...(otherWork
      ? [
          `Other work on the machine took ${percent(otherWork.median)} of its CPU time meanwhile (median of all runs; at most ${percent(otherWork.most)}).`,
        ]
      : []),
  ];
}

/** A row for each load, with the rates of all systems beside one another: what docs/benchmarks.md shows. */
function overviewTable(rows: readonly BenchRow[]): string[] {
  if (rows.every(({ systems }) => systems.service === undefined)) return [];
  const others = systemNames.filter((name) => name !== "service" && rows.some(({ systems }) => systems[name]));
  const header = ["requests/s", "service", "p50 ms", "p99 ms", ...others];
  const table = markdownTable(
    header,
    1,
    rows.map(({ what, systems }) => [
      what,
      rateOf(systems.service),
      systems.service?.p50Ms.toFixed(2) ?? none,
      systems.service?.p99Ms.toFixed(2) ?? none,
      ...others.map((name) => rateOf(systems[name])),
    ]),
  );
  return [...table, ""];
}

function ratesTable(rows: readonly BenchRow[]): string[] {
  const header = [
    "what",
    "system",
    "requests/s",
    "lowest–highest",
    "p50 ms",
    "p99 ms",
    "of yardstick",
    "times naive",
    "errors",
  ];
  return markdownTable(
    header,
    2,
    rows.flatMap((row) =>
      summaries(row).map(([name, summary], index) => {
        const { requestsPerSecond, requestsPerSecondByRound, p50Ms, p99Ms, errors } = summary;
        return [
          index === 0 ? row.what : none,
          name,
          whole(requestsPerSecond),
          `${whole(Math.min(...requestsPerSecondByRound))}–${whole(Math.max(...requestsPerSecondByRound))}`,
          p50Ms.toFixed(2),
          p99Ms.toFixed(2),
          percent(
            name === "yardstick" ? undefined : ratio(requestsPerSecond, row.systems.yardstick?.requestsPerSecond),
          ),
          times(name === "naive" ? undefined : ratio(requestsPerSecond, row.systems.naive?.requestsPerSecond)),
          whole(errors),
        ];
      }),
    ),
  );
}

/** Compares the lookups of the mixed row with those of the row without trades: the table shows only requests. */
function describeLookupsBesideTrades(rows: readonly BenchRow[]): string[] {
  const rateOf = (kind: BenchRow["kind"]) => rows.find((row) => row.kind === kind)?.systems.service?.requestsPerSecond;
  const mixed = rateOf("mixed");
  const alone = rateOf("lookups");
  if (mixed === undefined || alone === undefined) return [];
  const lookups = lookupsOf(mixed);
  return [
    `Beside trades the service answered ${whole(lookups)} lookups/s, ${percent(ratio(lookups, alone))} of its rate without them.`,
    "",
  ];
}

export function cpuTable(rows: readonly ShownRow[]): string[] {
  const parts: CpuPart[] = ["front-end", "leader", "followers", "catalog"];
  const header = [
    "CPU µs per request",
    "system",
    "front-end",
    "leader",
    "both followers",
    "catalog",
    "all",
    "load generator",
  ];
  return markdownTable(
    header,
    2,
    rows.flatMap(({ what, shown }) =>
      shown.map(([name, { cpuMicros }], index) => [
        index === 0 ? what : none,
        name,
        ...parts.map((part) => micros(cpuMicros[part])),
        micros(totalMicros(cpuMicros)),
        micros(cpuMicros.load),
      ]),
    ),
  );
}

/** The result of the loss checks of the service's runs that only traded. */
export function describeChecks(checks: readonly LossCheck[]): string[] {
  if (checks.length === 0) return [];
  const losses = checks.filter((check) => !isNothingLost(check)).map((check) => describeLoss(check, "service"));
  if (losses.length > 0) return losses;
  const replies = checks.reduce((sum, check) => sum + check.replies, 0);
  const ledgerRows = checks.reduce((sum, check) => sum + check.ledgerRows, 0);
  return [
    `Nothing was lost in ${counted(checks.length, "run")} of the service with trades: ${whole(replies)} answered with 200,`,
    `${whole(ledgerRows)} in the ledger (some were in flight when the load ended), every replica equal to it.`,
  ];
}

export function describeLoss({ replies, ledgerRows, unequalReplicas }: LossCheck, system: string): string {
  const replicas = unequalReplicas.map((id) => `replica ${id}`).join(", ") || "no replica";
  return `LOST by ${system}: ${whole(replies)} trades answered with 200, ${whole(ledgerRows)} in the ledger; unlike the ledger: ${replicas}.`;
}

function summaries({ systems }: BenchRow): [SystemName, Summary][] {
  return systemNames.flatMap((name) => {
    const summary = systems[name];
    return summary ? [[name, summary] satisfies [SystemName, Summary]] : [];
  });
}

function rateOf(summary: Summary | undefined): string {
  return summary === undefined ? none : whole(summary.requestsPerSecond);
}

function times(value: number | undefined): string {
  return value === undefined ? none : `${value.toFixed(1)}×`;
}

export function micros(value: number | undefined): string {
  return value === undefined ? none : value.toFixed(1);
}
