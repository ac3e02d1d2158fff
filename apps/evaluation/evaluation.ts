/**
 * `npm run evaluate`: how long lookups and trades take as the share of trades grows, with the cache and without it. Two
 * bazaars of real processes, one with each setting, are measured in turns, so that whatever else the machine does meets
 * both alike; the one that isn't measured has nothing to do. With `url` it is one that runs already, as it is set there.
 * Every run ends with the check of every order.
 */

import type { LatencySummary } from "@stock-bazaar/client/latencies";
import { NoBazaarError, type RunResult, runSessions } from "@stock-bazaar/client/sessions";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import { machineCpu } from "@stock-bazaar/report/process-cpu";
import { median } from "@stock-bazaar/report/statistics";
import { Random } from "@stock-bazaar/shared/random";
import type { CacheMode, CacheSetting } from "./settings.ts";

export interface EvaluationOptions {
  /** A bazaar that runs already, like `http://bazaar.example:8080`; absent: one of its own for each setting of the cache. */
  readonly url?: string;
  /** Shares of lookups that a trade follows, each from 0 to 1. */
  readonly p: readonly number[];
  /** Of its own bazaars. */
  readonly cache: readonly CacheMode[];
  readonly clients: number;
  /** Lookups of each client in one measurement. */
  readonly requests: number;
  /** Lookups of each client before the first measurement, half of them with a trade. */
  readonly warmUp: number;
  /** Of which the median is told. */
  readonly rounds: number;
  readonly seed: number;
}

/** The medians of the rounds; counts are those of all rounds together. */
export interface Measured {
  readonly lookups: LatencySummary;
  /** Of the lookups; none where the front-end has no cache. */
  readonly hitShare: number;
  readonly trades: LatencySummary;
  /** Queries of the orders that were acknowledged, one by one, at the end of each run. */
  readonly orders: LatencySummary;
  readonly requestsPerSecond: number;
  /** Orders that were acknowledged, asked for at the end, and there as they were told. */
  readonly ordersFound: number;
}

export interface Point {
  readonly p: number;
  readonly cache: CacheSetting;
  readonly measured: Measured;
}

export interface EvaluationResult {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tookMs: number;
  readonly machine: Machine;
  /** The share of the machine's CPU time that was in use, by anybody, in the two seconds before it began. */
  readonly busyBefore: number | undefined;
  readonly options: EvaluationOptions;
  readonly points: readonly Point[];
}

export type EvaluationProgress = (done: number, total: number, what: string) => void;

/** A bazaar that is measured didn't keep its word: there is nothing to measure then. */
export class BrokenWordError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenWordError";
  }
}

const restMs = 2000;
/** Long enough for whatever a loaded machine may do; nothing fails here on purpose. */
const giveUpMs = 30_000;
const patienceMs = 15_000;
const cacheSizes: Readonly<Record<CacheMode, string>> = { on: "1000", off: "0" };

/** Rejects with the reason of `signal` when that aborts; all that was started has ended then, and its files are gone. */
export async function runEvaluation(
  options: EvaluationOptions,
  progress: EvaluationProgress,
  signal: AbortSignal,
): Promise<EvaluationResult> {
  const { p, rounds } = options;
  const cache: readonly CacheSetting[] = options.url === undefined ? options.cache : ["as it is"];
  const startedAt = new Date().toISOString();
  const startMs = performance.now();
  const total = (options.warmUp > 0 ? cache.length : 0) + p.length * cache.length * rounds;
  const busyBefore = await busyShare(signal);
  const random = new Random(options.seed);
  const newRandom = () => {
    const own = random.fork();
    return () => own.next();
  };
  const bazaars = new Map<CacheSetting, Cluster>();
  const runs = new Map<string, RunResult[]>();
  let done = 0;
  const run = async (mode: CacheSetting, share: number, requests: number, what: string) => {
    signal.throwIfAborted();
    progress(done, total, what);
    const url = options.url ?? bazaars.get(mode)?.url ?? "";
    const result = await runSessions(
      {
        url,
        type: "session-check",
        clients: options.clients,
        requests,
        p: share,
        random: newRandom,
        giveUpMs,
        patienceMs,
      },
      (phase, part, of) =>
        progress(
          done + (phase === "requests" ? 0 : 0.8) + (part / of) * (phase === "requests" ? 0.8 : 0.2),
          total,
          what,
        ),
      signal,
    );
    done += 1;
    progress(done, total, what);
    const wrong = [...result.mismatches.first, ...result.failures.first];
    if (!result.answered) throw new NoBazaarError(`${url} answers no longer: ${wrong.at(-1)}`);
    if (!result.ok) throw new BrokenWordError(`${what}: ${wrong.join("; ")}`);
    return result;
  };
  try {
    progress(done, total, "starting");
    for (const mode of options.url === undefined ? options.cache : [])
      bazaars.set(mode, await startBazaar(mode, signal));
    for (const mode of options.warmUp > 0 ? cache : []) await run(mode, 0.5, options.warmUp, `warm-up, cache ${mode}`);
    for (let round = 1; round <= rounds; round += 1) {
      for (const share of p) {
        for (const mode of cache) {
          const what = `round ${round}/${rounds}, p ${Math.round(share * 100)}%, cache ${mode}`;
          const key = pointKey(share, mode);
          runs.set(key, [...(runs.get(key) ?? []), await run(mode, share, options.requests, what)]);
        }
      }
    }
  } finally {
    await Promise.all([...bazaars.values()].map((bazaar) => bazaar.dispose()));
  }
  const points = p.flatMap((share) =>
    cache.map((mode) => ({ p: share, cache: mode, measured: summarize(runs.get(pointKey(share, mode)) ?? []) })),
  );
  const tookMs = Math.round(performance.now() - startMs);
  return { startedAt, tookMs, machine: describeMachine(), busyBefore, options, points };
}

/** The processes are running and ready. */
async function startBazaar(mode: CacheMode, signal: AbortSignal): Promise<Cluster> {
  signal.throwIfAborted();
  const bazaar = await Cluster.create({ environment: { CACHE_SIZE: cacheSizes[mode] } });
  try {
    await bazaar.startInOrder({ signal });
    return bazaar;
  } catch (error) {
    await bazaar.dispose();
    throw error;
  }
}

export function summarize(runs: readonly RunResult[]): Measured {
  const middle = (values: readonly number[]) => median(values) ?? 0;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const latencies = (of: (run: RunResult) => LatencySummary): LatencySummary => {
    const all = runs.map(of);
    return {
      count: sum(all.map(({ count }) => count)),
      p50Ms: middle(all.map(({ p50Ms }) => p50Ms)),
      p90Ms: middle(all.map(({ p90Ms }) => p90Ms)),
      p99Ms: middle(all.map(({ p99Ms }) => p99Ms)),
      maxMs: middle(all.map(({ maxMs }) => maxMs)),
    };
  };
  return {
    lookups: latencies(({ lookups }) => lookups),
    hitShare: middle(runs.map(({ lookups }) => lookups.hits.count / Math.max(1, lookups.count))),
    trades: latencies(({ trades }) => trades),
    orders: latencies(({ orders }) => orders),
    requestsPerSecond: middle(runs.map(({ requestsPerSecond }) => requestsPerSecond)),
    ordersFound: sum(runs.map(({ orders }) => orders.found)),
  };
}

/** `undefined` where the machine doesn't say. */
async function busyShare(signal: AbortSignal): Promise<number | undefined> {
  const before = machineCpu();
  if (!before) return undefined;
  await Promise.race([Bun.sleep(restMs), aborted(signal)]);
  signal.throwIfAborted();
  const after = machineCpu();
  if (!after || after.totalSeconds <= before.totalSeconds) return undefined;
  return (after.busySeconds - before.busySeconds) / (after.totalSeconds - before.totalSeconds);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function pointKey(share: number, mode: CacheSetting): string {
  return `${share} ${mode}`;
}
