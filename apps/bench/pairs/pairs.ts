/**
 * `npm run bench -- --against <checkouts>` compares whole bazaars of several checkouts. All of them run at once and are
 * loaded in turn, in short slices, so that each figure has its counterpart from the same seconds. Only the ratios of
 * such pairs can be trusted on a machine that does other work too.
 */

import { migrateAll } from "@stock-bazaar/db/migrate";
import { readConfig } from "@stock-bazaar/process/config";
import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import type { BenchOptions } from "../bench.ts";
import { describeLoadTool, putLoad } from "../load.ts";
import {
  describeMeasurement,
  type Measurement,
  measureLoad,
  type OtherWork,
  type Summary,
  summarize,
  summarizeOtherWork,
  totalMicros,
  tuning,
} from "../measurement.ts";
import type { SystemName } from "../names.ts";
import { checkNothingLost, type LossCheck } from "../nothing-lost.ts";
import { isMeasured, isService, lookupsOf, type RowSpec, rowSpecs, warmUpOf } from "../rows.ts";
import { type RunningSystem, startSystem } from "../running-system.ts";
import { replicaIds, type SystemSpec, systems } from "../systems.ts";
import { type Checkout, checkoutSystem, thisCheckout } from "./checkouts.ts";
import { inTurn, type PairedRatio, pairedRatio } from "./ratios.ts";

export interface PairsOptions extends BenchOptions {
  /** The first is what all others are compared with. This checkout follows them. */
  readonly against: readonly Checkout[];
}

export interface PairedSummary extends Summary {
  readonly side: string;
  /** Rate and CPU time per request, as a ratio to the first side. */
  readonly rateRatio: PairedRatio | undefined;
  readonly cpuRatio: PairedRatio | undefined;
}

export interface PairedRow extends RowSpec {
  readonly sides: readonly PairedSummary[];
}

export interface LookupsBesideTrades {
  readonly side: string;
  readonly lookupsPerSecond: number;
  /** As a share of the rate without trades. */
  readonly share: PairedRatio;
}

export interface PairsResult {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: Machine & { readonly loadTool: string };
  readonly options: PairsOptions;
  /** Variables of the bazaar that were set and may differ from the defaults. */
  readonly environment: Readonly<Record<string, string>>;
  readonly checkouts: readonly Checkout[];
  readonly rows: readonly PairedRow[];
  readonly lookupsBesideTrades: readonly LookupsBesideTrades[];
  readonly otherWork: OtherWork;
  readonly checks: readonly (LossCheck & { readonly side: string })[];
}

interface Side {
  readonly system: RunningSystem;
  /** `service` is the bazaar of a checkout. */
  readonly kind: SystemName;
  /** Trades that were answered with 200, warm-up included, without those of mixed loads. */
  trades: number;
}

/** The measurements of one row, by round. */
type Measured = ReadonlyMap<Side, Measurement[]>;

/**
 * Calls `progress` with one line per measurement. Rejects when `signal` aborts, after all started processes have ended.
 */
export async function runPairs(
  options: PairsOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<PairsResult> {
  const startedAt = new Date().toISOString();
  const machine = { ...describeMachine(), loadTool: describeLoadTool(options.tool) };
  const checkouts = [...options.against, thisCheckout];
  const specs = rowSpecs(options);
  const sides: Side[] = [];
  try {
    for (const checkout of checkouts) sides.push(await startSide(checkoutSystem(checkout), "service", signal));
    for (const name of options.systems.filter((other) => other !== "service"))
      sides.push(await startSide(systems[name], name, signal));
    await warmUp(sides, specs, options, progress, signal);
    const measured = new Map<RowSpec, Measured>(
      specs.map((spec) => [spec, new Map(sidesOf(sides, spec).map((side) => [side, []]))]),
    );
    for (let round = 1; round <= options.rounds; round += 1)
      for (const [spec, bySide] of measured)
        for (const side of inTurn(sidesOf(sides, spec), round)) {
          const measurement = await measureSide(side, spec, sides, options, signal);
          bySide.get(side)?.push(measurement);
          const what = `round ${round}/${options.rounds}  ${spec.what}`;
          progress(describeMeasurement(what, side.system.name, measurement.load));
        }
    const all = [...measured.values()].flatMap((bySide) => [...bySide.values()].flat());
    return {
      startedAt,
      machine,
      options,
      environment: tuning(),
      checkouts,
      rows: [...measured].map(([spec, bySide]) => ({ ...spec, sides: summarizeSides(bySide) })),
      lookupsBesideTrades: lookupsBesideTrades(measured),
      otherWork: summarizeOtherWork(all),
      checks: await stopAndCheck(sides),
    };
  } finally {
    await Promise.all(sides.map(({ system }) => system.dispose()));
  }
}

async function startSide(spec: SystemSpec, kind: SystemName, signal: AbortSignal): Promise<Side> {
  return { system: await startSystem(spec, signal), kind, trades: 0 };
}

function sidesOf(sides: readonly Side[], spec: RowSpec): Side[] {
  return sides.filter(({ kind }) => isMeasured(kind, spec));
}

/** The rows share the seconds of a side. */
async function warmUp(
  sides: readonly Side[],
  specs: readonly RowSpec[],
  { warmUpSeconds, tool }: PairsOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const seconds = Math.ceil(warmUpSeconds / specs.length);
  if (seconds === 0) return;
  for (const side of sides) {
    progress(`warm-up  ${side.system.name}`);
    for (const spec of specs.filter((each) => sidesOf([side], each).length > 0)) {
      const { ok } = await putLoad(tool, warmUpOf(spec, seconds), side.system, signal);
      if (spec.kind === "trades") side.trades += ok;
    }
  }
}

async function measureSide(
  side: Side,
  { kind, connections }: RowSpec,
  sides: readonly Side[],
  { seconds, tool }: PairsOptions,
  signal: AbortSignal,
): Promise<Measurement> {
  const idle = sides.filter((other) => other !== side).map(({ system }) => system);
  const measurement = await measureLoad(side.system, { kind, connections, seconds }, tool, signal, idle);
  if (kind === "trades") side.trades += measurement.load.ok;
  return measurement;
}

function summarizeSides(bySide: Measured): PairedSummary[] {
  const [base = []] = bySide.values();
  const rates = (measurements: readonly Measurement[]) => measurements.map(({ load }) => load.requestsPerSecond);
  const micros = (measurements: readonly Measurement[]) => measurements.map(({ cpuMicros }) => totalMicros(cpuMicros));
  return [...bySide].map(([{ system }, measurements]) => ({
    side: system.name,
    ...summarize(measurements),
    rateRatio: pairedRatio(rates(measurements), rates(base)),
    cpuRatio: pairedRatio(micros(measurements), micros(base)),
  }));
}

function lookupsBesideTrades(measured: ReadonlyMap<RowSpec, Measured>): LookupsBesideTrades[] {
  const rowOf = (kind: RowSpec["kind"]) => [...measured].find(([spec]) => spec.kind === kind)?.[1];
  const ratesOf = (side: Side, row: Measured | undefined) =>
    row?.get(side)?.map(({ load }) => load.requestsPerSecond) ?? [];
  const [mixed, alone] = [rowOf("mixed"), rowOf("lookups")];
  return [...(mixed ?? [])].flatMap(([side, measurements]) => {
    const share = pairedRatio(ratesOf(side, mixed).map(lookupsOf), ratesOf(side, alone));
    const lookupsPerSecond = lookupsOf(summarize(measurements).requestsPerSecond);
    return share ? [{ side: side.system.name, lookupsPerSecond, share }] : [];
  });
}

/** The databases of an earlier version are migrated first, which every release can do. */
async function stopAndCheck(sides: readonly Side[]): Promise<PairsResult["checks"]> {
  const checks: (LossCheck & { side: string })[] = [];
  for (const { system, kind, trades } of sides) {
    await system.stop();
    if (!isService(kind)) continue;
    await migrateAll(readConfig({ DATA_DIR: system.dataDir, LEDGER_URL: system.ledgerUrl }));
    checks.push({ side: system.name, ...(await checkNothingLost(system, replicaIds, trades)) });
  }
  return checks;
}
