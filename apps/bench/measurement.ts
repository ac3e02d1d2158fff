/** One load on a running system, with the CPU time that it took, and the summary of several of them. */

import { type MachineCpu, cpuSecondsOf, machineCpu } from "@stock-bazaar/report/process-cpu";
import { median } from "@stock-bazaar/report/statistics";
import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { type Load, type MeasuredLoad, putLoad } from "./load.ts";
import type { LoadTool } from "./names.ts";
import type { RunningSystem, SystemProcess } from "./running-system.ts";
import type { Role } from "./systems.ts";

export type CpuPart = Role | "load";

export interface Measurement {
  readonly load: MeasuredLoad;
  /** CPU time per request; parts that this system can't measure are left out. */
  readonly cpuMicros: Partial<Record<CpuPart, number>>;
  /** The share of the machine's CPU time that other work took meanwhile. */
  readonly otherWork: number | undefined;
}

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

const tuningVariables = [
  "CACHE_SIZE",
  "CACHE_TTL_MS",
  "CACHE_LEASE_MS",
  "ORDER_MIN_COPIES",
  "ORDER_SYNCHRONOUS",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_TRACES_SAMPLER_ARG",
  "RPC_TIMEOUT_MS",
  ...Object.keys(runtimeSettings),
] as const;

/** The systems in `idle` run too, without load: their CPU time is no other work. */
export async function measureLoad(
  system: RunningSystem,
  load: Load,
  tool: LoadTool,
  signal: AbortSignal,
  idle: readonly RunningSystem[] = [],
): Promise<Measurement> {
  const idleSeconds = () => idle.reduce((sum, other) => sum + total(cpuByRole(other.processes())), 0);
  const machineBefore = machineCpu();
  const idleBefore = idleSeconds();
  const before = cpuByRole(system.processes());
  const measured = await putLoad(tool, load, system, signal);
  const after = cpuByRole(system.processes());
  const idleTaken = idleSeconds() - idleBefore;
  const machineAfter = machineCpu();
  if (measured.ok === 0)
    throw new Error(`${system.name}: at least one request must be answered with 200 (${measured.errors} failed)`);
  const own = total(after) - total(before) + idleTaken + measured.loadCpuSeconds;
  return {
    load: measured,
    cpuMicros: cpuMicros(before, after, measured),
    otherWork: otherWork(machineBefore, machineAfter, own),
  };
}

/** The CPU time per request of all processes but the load generator; `undefined` if it can't be measured. */
export function totalMicros(cpu: Partial<Record<CpuPart, number>>): number | undefined {
  const known = Object.entries(cpu).flatMap(([part, micros]) => (part === "load" ? [] : [micros]));
  return known.length === 0 ? undefined : known.reduce((sum, micros) => sum + micros, 0);
}

export function summarize(measurements: readonly Measurement[]): Summary {
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

/** Median and maximum of all runs; `undefined` if it can't be measured. */
export type OtherWork = { readonly median: number; readonly most: number } | undefined;

export function summarizeOtherWork(measurements: readonly Measurement[]): OtherWork {
  const shares = measurements.flatMap(({ otherWork: share }) => share ?? []);
  const middle = median(shares);
  return middle === undefined ? undefined : { median: middle, most: Math.max(...shares) };
}

/** Variables of the bazaar that are set and may differ from the defaults. */
export function tuning(): Record<string, string> {
  return Object.fromEntries(
    tuningVariables.flatMap((variable) => {
      const value = process.env[variable]?.trim();
      return value ? [[variable, value]] : [];
    }),
  );
}

export function describeMeasurement(what: string, system: string, load: MeasuredLoad): string {
  const { requestsPerSecond, p50Ms, p99Ms, errors } = load;
  const figures = `${Math.round(requestsPerSecond)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
  return `${what}  ${system}  ${figures}${errors > 0 ? `  ${errors} errors` : ""}`;
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
  return { ...Object.fromEntries(roles), load: perRequest(loadCpuSeconds) };
}
