/**
 * `npm run evaluate` measures how long lookups and trades take as the share of trades grows, with and without the
 * cache. It starts a bazaar of real processes for each setting and measures them in turns, so that other work on the
 * machine affects both alike; the other one is idle meanwhile. With `url` it measures a running bazaar with its own
 * settings. Every run ends with a check of every order.
 */

import type { LatencySummary } from "@stock-bazaar/client/latencies";
import { NoBazaarError, type RunResult, runSessions } from "@stock-bazaar/client/sessions";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { tokenFileVariables } from "@stock-bazaar/process/client-token";
import { tlsVariables } from "@stock-bazaar/process/tls-files";
import { describeMachine, type Machine } from "@stock-bazaar/report/machine";
import { machineCpu } from "@stock-bazaar/report/process-cpu";
import { median } from "@stock-bazaar/report/statistics";
import { Random } from "@stock-bazaar/shared/random";
import type { CacheMode, CacheSetting } from "./settings.ts";

export interface EvaluationOptions {
  /**
   * A running bazaar, like `http://bazaar.example:8080`; by default a new one is started for each setting of the cache.
   */
  readonly url?: string;
  /** Shares of lookups that a trade follows, each from 0 to 1. */
  readonly p: readonly number[];
  /** Cache settings of the bazaars that it starts. */
  readonly cache: readonly CacheMode[];
  readonly clients: number;
  /** Lookups of each client in one measurement. */
  readonly requests: number;
  /** Lookups of each client before the first measurement, half of them with a trade. */
  readonly warmUp: number;
  /** How often each measurement is made; the result is the median. */
  readonly rounds: number;
  readonly seed: number;
}

/** Medians over the rounds; counts are sums of all rounds. */
export interface Measured {
  readonly lookups: LatencySummary;
  /** Share of the lookups that hit the cache; 0 without a cache. */
  readonly hitShare: number;
  readonly trades: LatencySummary;
  /** Queries of the acknowledged orders, one by one, at the end of each run. */
  readonly orders: LatencySummary;
  readonly requestsPerSecond: number;
  /** Acknowledged orders that were found at the end and match their trades. */
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
  /** The share of the machine's CPU time that any process used in the two seconds before the evaluation. */
  readonly busyBefore: number | undefined;
  readonly options: EvaluationOptions;
  readonly points: readonly Point[];
}

export type EvaluationProgress = (done: number, total: number, what: string) => void;

/** The measured bazaar broke a promise, so its figures are worthless. */
export class BrokenPromiseError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenPromiseError";
  }
}

const restMs = 2000;
/** Generous, for a loaded machine: no faults are injected here. */
const giveUpMs = 30_000;
const patienceMs = 15_000;
const cacheSizes: Readonly<Record<CacheMode, string>> = { on: "1000", off: "0" };

/**
 * Rejects with the reason of `signal` when that aborts, after all started processes have ended and their files are
 * removed.
 */
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
    if (!result.answered) throw new NoBazaarError(`${url} stopped answering: ${wrong.at(-1)}`);
    if (!result.ok) throw new BrokenPromiseError(`${what}: ${wrong.join("; ")}`);
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

/** Starts a bazaar. Resolves when its processes are ready. */
async function startBazaar(mode: CacheMode, signal: AbortSignal): Promise<Cluster> {
  signal.throwIfAborted();
  const bazaar = await Cluster.create({
    environment: { ...tlsVariables(process.env), ...tokenFileVariables(process.env), CACHE_SIZE: cacheSizes[mode] },
  });
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

/** The share of CPU time in use; `undefined` if the machine doesn't report it. */
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
