/**
 * `npm run bench` compares the bazaar with other systems (names.ts) under the same load. The systems take turns, so
 * that other work on the machine affects all of them alike, and only one runs at a time. It fails only if a trade is
 * lost; every rate is just reported.
 */

import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import { describeLoadTool, putLoad } from "./load.ts";
import {
  describeMeasurement,
  type Measurement,
  measureLoad,
  type OtherWork,
  type Summary,
  summarize,
  summarizeOtherWork,
  tuning,
} from "./measurement.ts";
import type { LoadTool, SystemName } from "./names.ts";
import { checkNothingLost, type LossCheck } from "./nothing-lost.ts";
import { isMeasured, isService, type RowOptions, type RowSpec, rowSpecs, warmUpOf } from "./rows.ts";
import { startSystem } from "./running-system.ts";
import { replicaIds, systems } from "./systems.ts";

export interface BenchOptions extends RowOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly systems: readonly SystemName[];
  readonly tool: LoadTool;
}

export interface BenchRow extends RowSpec {
  readonly systems: Partial<Record<SystemName, Summary>>;
}

export interface BenchResult {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: Machine & { readonly loadTool: string };
  readonly options: BenchOptions;
  /** Variables of the bazaar that were set and may differ from the defaults. */
  readonly environment: Readonly<Record<string, string>>;
  readonly rows: readonly BenchRow[];
  /** The share of the machine's CPU time that other work took during the measurements. */
  readonly otherWork: OtherWork;
  /** One for each run of the service that only traded. */
  readonly checks: readonly LossCheck[];
}

/**
 * Calls `progress` with one line per measurement. Rejects when `signal` aborts, after all started processes have ended.
 */
export async function runBench(
  options: BenchOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<BenchResult> {
  const startedAt = new Date().toISOString();
  const machine = { ...describeMachine(), loadTool: describeLoadTool(options.tool) };
  const rows: BenchRow[] = [];
  const checks: LossCheck[] = [];
  const all: Measurement[] = [];

  for (const spec of rowSpecs(options)) {
    const names = options.systems.filter((name) => isMeasured(name, spec));
    const measured = new Map(names.map((name) => [name, [] as Measurement[]]));
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const name of names) {
        const { measurement, check } = await measure(name, spec, options, signal);
        measured.get(name)?.push(measurement);
        all.push(measurement);
        if (check) checks.push(check);
        progress(describeMeasurement(`round ${round}/${options.rounds}  ${spec.what}`, name, measurement.load));
      }
    }
    const summaries = [...measured].map(([name, measurements]) => [name, summarize(measurements)] as const);
    rows.push({ ...spec, systems: Object.fromEntries(summaries) });
  }
  return { startedAt, machine, options, environment: tuning(), rows, otherWork: summarizeOtherWork(all), checks };
}

/** One run: starts a system with new databases, warms it up, measures, stops and checks it. */
async function measure(
  name: SystemName,
  row: RowSpec,
  { tool, seconds, warmUpSeconds }: BenchOptions,
  signal: AbortSignal,
): Promise<{ measurement: Measurement; check: LossCheck | undefined }> {
  const system = await startSystem(systems[name], signal);
  try {
    const { kind, connections } = row;
    const warm = warmUpSeconds > 0 ? await putLoad(tool, warmUpOf(row, warmUpSeconds), system, signal) : undefined;
    const measurement = await measureLoad(system, { kind, connections, seconds }, tool, signal);
    await system.stop();
    // The naive system can't be checked: a trade in flight when it stops stays half done.
    // Neither can a mixed load: the load generator doesn't count the replies of trades separately.
    const isPromised = kind === "trades" && isService(name);
    const check = isPromised
      ? await checkNothingLost(system, replicaIds, measurement.load.ok + (warm?.ok ?? 0))
      : undefined;
    return { measurement, check };
  } finally {
    await system.dispose();
  }
}
