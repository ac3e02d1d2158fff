/**
 * `npm run bench` compares the bazaar with other systems (names.ts) under the same load. The systems take turns, so
 * that other work on the machine affects all of them alike. It fails only if a trade is lost; every rate is just
 * reported.
 */

import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import { cpuSecondsOf, type MachineCpu, machineCpu } from "@stock-bazaar/report/process-cpu";
import { median } from "@stock-bazaar/report/statistics";
import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { describeLoadTool, type Load, lookupsPerTrade, type MeasuredLoad, putLoad } from "./load.ts";
import { type LoadTool, type RowKind, rowKinds, type SystemName } from "./names.ts";
import { checkNothingLost, type LossCheck } from "./nothing-lost.ts";
import { replicaIds, type Role, startSystem, type SystemProcess } from "./systems.ts";

export interface BenchOptions {
  /** Length of one measurement. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  /** One row of trades for each of these; the rows of lookups use the first. */
  readonly connections: readonly number[];
  readonly rows: readonly RowKind[];
  readonly systems: readonly SystemName[];
  readonly tool: LoadTool;
}

export type CpuPart = Role | "load";

/** Medians over the rounds; `ok` and `errors` are sums. */
export interface Summary {
  readonly requestsPerSecond: number;
  readonly requestsPerSecondByRound: readonly number[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Replies with a status of 200 to 299. */
  readonly ok: number;
  readonly errors: number;
  /** CPU time per request; parts that this system can't measure are left out. */
  readonly cpuMicros: Partial<Record<CpuPart, number>>;
}

export interface BenchRow {
  readonly what: string;
  readonly kind: Load["kind"];
  readonly connections: number;
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
  /**
   * The share of the machine's CPU time that other work took during the measurements: median and maximum of all runs.
   */
  readonly otherWork: { readonly median: number; readonly most: number } | undefined;
  /** One for each run of the service that only traded. */
  readonly checks: readonly LossCheck[];
}

const withoutLookups: readonly SystemName[] = ["naive"];

/** Enough to get the code of every process compiled, even before a measurement with one client. */
const warmUpConnectionsMin = 64;
const tuningVariables = [
  "CACHE_SIZE",
  "CACHE_TTL_MS",
  "CACHE_LEASE_MS",
  "ORDER_MIN_COPIES",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_TRACES_SAMPLER_ARG",
  "RPC_TIMEOUT_MS",
  ...Object.keys(runtimeSettings),
] as const;

type RowSpec = Pick<BenchRow, "what" | "kind" | "connections">;

interface Measurement {
  readonly load: MeasuredLoad;
  readonly cpuMicros: Partial<Record<CpuPart, number>>;
  readonly check: LossCheck | undefined;
  readonly otherWork: number | undefined;
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
  const otherWork: number[] = [];

  for (const spec of rowSpecs(options)) {
    const systems = options.systems.filter((name) => spec.kind === "trades" || !withoutLookups.includes(name));
    const measured = new Map(systems.map((name) => [name, [] as Measurement[]]));
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const name of systems) {
        const measurement = await measure(name, spec, options, signal);
        measured.get(name)?.push(measurement);
        if (measurement.check) checks.push(measurement.check);
        if (measurement.otherWork !== undefined) otherWork.push(measurement.otherWork);
        progress(describeMeasurement(`round ${round}/${options.rounds}  ${spec.what}`, name, measurement.load));
      }
    }
    const summaries = [...measured].map(([name, measurements]) => [name, summarize(measurements)] as const);
    rows.push({ ...spec, systems: Object.fromEntries(summaries) });
  }
  const middle = median(otherWork);
  return {
    startedAt,
    machine,
    options,
    environment: tuning(),
    rows,
    otherWork: middle === undefined ? undefined : { median: middle, most: Math.max(...otherWork) },
    checks,
  };
}

function rowSpecs({ rows, connections }: BenchOptions): RowSpec[] {
  const specs: Record<RowKind, RowSpec[]> = {
    trades: connections.map((count) => ({ what: `trades, ${count} connections`, kind: "trades", connections: count })),
    single: [{ what: "one client, one trade at a time", kind: "trades", connections: 1 }],
    lookups: connections
      .slice(0, 1)
      .map((count) => ({ what: `cached lookups, ${count} connections`, kind: "lookups", connections: count })),
    mixed: connections.slice(0, 1).map((count) => ({
      what: `${lookupsPerTrade} lookups to a trade, ${count} connections`,
      kind: "mixed",
      connections: count,
    })),
  };
  return rowKinds.filter((kind) => rows.includes(kind)).flatMap((kind) => specs[kind]);
}

/** One run: starts a system with new databases, warms it up, measures, stops and checks it. */
async function measure(
  name: SystemName,
  { kind, connections }: RowSpec,
  { tool, seconds, warmUpSeconds }: BenchOptions,
  signal: AbortSignal,
): Promise<Measurement> {
  const system = await startSystem(name, signal);
  try {
    const warmUp = { kind, connections: Math.max(connections, warmUpConnectionsMin), seconds: warmUpSeconds };
    const warm = warmUpSeconds > 0 ? await putLoad(tool, warmUp, system, signal) : undefined;
    const machineBefore = machineCpu();
    const before = cpuByRole(system.processes());
    const load = await putLoad(tool, { kind, connections, seconds }, system, signal);
    const after = cpuByRole(system.processes());
    const machineAfter = machineCpu();
    if (load.ok === 0)
      throw new Error(`${name}: at least one request must be answered with 200 (${load.errors} failed)`);
    await system.stop();
    // The naive system can't be checked: a trade in flight when it stops stays half done.
    // Neither can a mixed load: the load generator doesn't count the replies of trades separately.
    const isPromised = kind === "trades" && name === "service";
    const check = isPromised
      ? await checkNothingLost(system.dataDir, replicaIds, load.ok + (warm?.ok ?? 0))
      : undefined;
    const own = total(after) - total(before) + load.loadCpuSeconds;
    return {
      load,
      cpuMicros: cpuMicros(before, after, load),
      check,
      otherWork: otherWork(machineBefore, machineAfter, own),
    };
  } finally {
    await system.dispose();
  }
}

function cpuByRole(processes: readonly SystemProcess[]): Map<Role, number> {
  const seconds = new Map<Role, number>();
  for (const { role, pid } of processes) {
    const taken = cpuSecondsOf(pid);
    if (taken !== undefined) seconds.set(role, (seconds.get(role) ?? 0) + taken);
  }
  return seconds;
}

function total(seconds: ReadonlyMap<Role, number>): number {
  return [...seconds.values()].reduce((sum, value) => sum + value, 0);
}

function otherWork(
  before: MachineCpu | undefined,
  after: MachineCpu | undefined,
  ownSeconds: number,
): number | undefined {
  if (!before || !after || after.totalSeconds <= before.totalSeconds) return undefined;
  const others = after.busySeconds - before.busySeconds - ownSeconds;
  return Math.max(0, others / (after.totalSeconds - before.totalSeconds));
}

function cpuMicros(
  before: ReadonlyMap<Role, number>,
  after: ReadonlyMap<Role, number>,
  { ok, loadCpuSeconds }: MeasuredLoad,
): Measurement["cpuMicros"] {
  const perRequest = (seconds: number) => (seconds * 1e6) / ok;
  const roles = [...after].map(([role, seconds]) => [role, perRequest(seconds - (before.get(role) ?? 0))] as const);
  return ok === 0 ? {} : { ...Object.fromEntries(roles), load: perRequest(loadCpuSeconds) };
}

function summarize(measurements: readonly Measurement[]): Summary {
  const loads = measurements.map(({ load }) => load);
  const middle = (values: readonly number[]) => median(values) ?? 0;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const parts = Object.keys(measurements[0]?.cpuMicros ?? {}) as CpuPart[];
  return {
    requestsPerSecond: middle(loads.map(({ requestsPerSecond }) => requestsPerSecond)),
    requestsPerSecondByRound: loads.map(({ requestsPerSecond }) => requestsPerSecond),
    p50Ms: middle(loads.map(({ p50Ms }) => p50Ms)),
    p99Ms: middle(loads.map(({ p99Ms }) => p99Ms)),
    ok: sum(loads.map(({ ok }) => ok)),
    errors: sum(loads.map(({ errors }) => errors)),
    cpuMicros: Object.fromEntries(
      parts.map((part) => [part, middle(measurements.flatMap(({ cpuMicros }) => cpuMicros[part] ?? []))]),
    ),
  };
}

function tuning(): Record<string, string> {
  return Object.fromEntries(
    tuningVariables.flatMap((variable) => {
      const value = process.env[variable]?.trim();
      return value ? [[variable, value]] : [];
    }),
  );
}

function describeMeasurement(what: string, system: SystemName, load: MeasuredLoad): string {
  const { requestsPerSecond, p50Ms, p99Ms, errors } = load;
  const figures = `${Math.round(requestsPerSecond)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `${what}  ${system}  ${figures}${errors > 0 ? `  ${errors} errors` : ""}`;
}
