/**
 * `npm run bench -- --experiments` measures what a single rate doesn't show: how long clients wait in a failover, what
 * a large ledger costs, how fast an empty replica catches up, what a copy costs, and whether memory grows.
 */

import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import type { ExperimentName, LoadTool } from "../names.ts";
import { type CatalogFailoverResult, measureCatalogFailover } from "./catalog-failover.ts";
import { type CatchUpRow, measureCatchUp } from "./catch-up.ts";
import { type CopiesRow, measureCopies } from "./copies.ts";
import { type FailoverResult, measureFailover } from "./failover.ts";
import { type LedgerSizeRow, measureLedgerSizes } from "./ledger-size.ts";
import { measureSoak, type SoakResult } from "./soak.ts";

export interface ExperimentOptions {
  readonly experiments: readonly ExperimentName[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly kills: number;
  /** Rounds of the experiments ledger and catch-up. */
  readonly rounds: number;
  /** Sizes of the ledger in orders, ascending. */
  readonly orders: readonly number[];
  /** Length of the soak. */
  readonly minutes: number;
  readonly tool: LoadTool;
}

export interface ExperimentResult {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: Machine;
  readonly options: ExperimentOptions;
  readonly failovers: readonly FailoverResult[];
  readonly ledgerSizes: readonly LedgerSizeRow[];
  readonly catchUps: readonly CatchUpRow[];
  readonly catalogFailovers: readonly CatalogFailoverResult[];
  readonly copies: readonly CopiesRow[];
  readonly soak: SoakResult | undefined;
}

/** Rejects when `signal` aborts, after all started processes have ended. */
export async function runExperiments(
  options: ExperimentOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<ExperimentResult> {
  const { experiments, orders, kills, connections } = options;
  const startedAt = new Date().toISOString();
  const asked = (name: ExperimentName) => experiments.includes(name);
  const failovers: FailoverResult[] = [];
  for (const [name, how] of [
    ["kill", "kill -9"],
    ["freeze", "SIGSTOP"],
  ] as const) {
    if (asked(name)) failovers.push(await measureFailover({ kills, connections, how }, progress, signal));
  }
  const catalogFailovers: CatalogFailoverResult[] = [];
  if (asked("catalog-failover")) {
    for (const how of ["kill -9", "SIGSTOP"] as const)
      catalogFailovers.push(await measureCatalogFailover({ kills, connections, how }, progress, signal));
  }
  return {
    startedAt,
    machine: describeMachine(),
    options,
    failovers,
    catalogFailovers,
    copies: asked("copies") ? await measureCopies(options, progress, signal) : [],
    soak: asked("soak") ? await measureSoak(options, progress, signal) : undefined,
    ledgerSizes: asked("ledger") ? await measureLedgerSizes({ ...options, sizes: orders }, progress, signal) : [],
    catchUps: asked("catch-up") ? await measureCatchUp({ ...options, sizes: orders }, progress, signal) : [],
  };
}
