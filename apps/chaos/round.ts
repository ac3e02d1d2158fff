/**
 * Runs one round: clients trade, look up stocks and query orders while faults happen. Afterwards the cluster must work
 * again, and all replies must agree with one another and with the databases.
 */

import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { queryAll } from "@stock-bazaar/client/order-check";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { within } from "@stock-bazaar/cluster/wait";
import { Random } from "@stock-bazaar/shared/random";
import { openCopies } from "./checks/snapshot.ts";
import { type History, judge } from "./checks/verdict.ts";
import type { Violation } from "./checks/violation.ts";
import { OrderQueries } from "./clients/order-queries.ts";
import { Readers } from "./clients/readers.ts";
import { Traffic } from "./clients/traffic.ts";
import type { Scene } from "./faults/fault.ts";
import { faultNamed } from "./faults/index.ts";
import { endedByItself } from "./faults/targets.ts";
import type { LedgerServer } from "./ledger-server.ts";
import type { LoadPlan, PlannedFault, RoundPlan } from "./plan.ts";
import { Turns } from "./turns.ts";

export interface RoundResult {
  readonly plan: RoundPlan;
  readonly violations: readonly Violation[];
  /** The trades of this round alone; `history` has those of earlier rounds too. */
  readonly trades: readonly TradeRecord[];
  readonly history: History;
  readonly longestSilenceMs: number;
  readonly tookMs: number;
}

export interface RoundOptions {
  readonly seed: number;
  readonly roundMs: number;
  /** The trades of this cluster's clients in earlier rounds. */
  readonly earlierTrades: readonly TradeRecord[];
  readonly server: LedgerServer | undefined;
  readonly signal: AbortSignal;
}

/** Generous: a cluster that doesn't work again after this never will. */
const healTimeoutMs = 30_000;
/** This many accepted trades prove that a cluster works. */
const provingTrades = 20;
/** Short enough for cache hits between two changes, long enough to leave the CPU to the services. */
const readerPauseMs = 2;
const queryPauseMs = 5;
/** Longer than most failovers, shorter than the longest freeze, so that some keys are in flight at two front-ends. */
const patienceMs = 1200;
const queriedMax = 400;
const replayedMax = 20;
const askingConnections = 8;

export async function runRound(
  cluster: Cluster,
  plan: RoundPlan,
  { seed, roundMs, earlierTrades, server, signal }: RoundOptions,
): Promise<RoundResult> {
  const startMs = performance.now();
  const found: Violation[] = [];
  const random = new Random(seed, plan.round);
  const copies = plan.faults.some(({ name }) => faultNamed(name).deletes) ? undefined : openCopies(cluster);
  const { frontEnds: _, clients, twins, readers, queries, stocks } = plan.load;
  const { urls } = cluster;
  const asking = new OrderQueries({ urls, clients: queries, random: () => random.next(), pauseMs: queryPauseMs });
  const reading = new Readers({ urls, clients: readers, stocks, pauseMs: readerPauseMs });
  const observe = (record: TradeRecord) => {
    asking.acknowledged(record);
    const { orderNumber, request, url } = record;
    if (orderNumber !== undefined) for (const other of urls) if (other !== url) reading.lookUpNow(other, request.name);
    if (copies === undefined || orderNumber === undefined || copies.of(orderNumber) >= plan.setting.minCopies) return;
    found.push({ promise: "I5", harm: "lost", text: `order ${orderNumber} was acknowledged with too few copies` });
  };
  const next = randomTrades(plan.load, random);
  const traffic = new Traffic({ urls, clients, twins, persistent: true, patienceMs, next, observe });
  try {
    await step(found, "trade before the faults", () => works(traffic, signal));
    await inflictAll({ cluster, server, traffic, signal }, plan.faults, found, roundMs);
    await step(found, "work again after the faults", async () => {
      for (const { name, exit } of cluster.services) if (exit) throw new Error(endedByItself(name, exit).text);
      await cluster.settled({ timeoutMs: healTimeoutMs, signal });
      await works(traffic, signal);
      await within("every trade resolves", traffic.stop(), healTimeoutMs);
      await within("every lookup resolves", reading.stop(), healTimeoutMs);
      await within("every query resolves", asking.stop(), healTimeoutMs);
    });
  } finally {
    await Promise.all([traffic.abandon(), reading.abandon(), asking.abandon()]);
    copies?.close();
  }
  signal.throwIfAborted();
  const accepted = traffic.accepted.filter(({ replayed }) => !replayed);
  const history = {
    trades: [...earlierTrades, ...traffic.records],
    replays: await replay(urls, random.sample(traffic.records, replayedMax)),
    lookups: reading.lookups,
    failedLookups: reading.failures,
    queries: [
      ...asking.records,
      ...(await queryAll({ urls, records: random.sample(accepted, queriedMax), clients: askingConnections })),
    ],
  };
  const { minCopies } = plan.setting;
  const { initialQuantities } = cluster;
  await step(found, "check the databases", async () => {
    found.push(...(await judge(cluster, history, { minCopies, initialQuantities, timeoutMs: healTimeoutMs })));
  });
  return {
    plan,
    violations: found,
    trades: traffic.records,
    history,
    longestSilenceMs: traffic.longestSilenceMs,
    tookMs: performance.now() - startMs,
  };
}

/** Runs a part of a round. A failure is reported as a violation, and the round continues, to find the consequences. */
async function step(found: Violation[], what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `, ${error.cause.message}` : "";
    found.push({ promise: "I8", harm: "other", text: `could not ${what}: ${String(error)}${cause}` });
  }
}

function works(traffic: Traffic, signal: AbortSignal): Promise<void> {
  return traffic.more(provingTrades, { timeoutMs: healTimeoutMs, signal });
}

/**
 * Runs each fault at its time, in parallel where they touch different services. Resolves when all faults have mended
 * their damage, even if `signal` aborts; after that no further fault begins. It waits because mending starts services
 * and creates files, which must not happen any more once the cluster is disposed.
 */
async function inflictAll(
  common: Pick<Scene, "cluster" | "server" | "traffic" | "signal">,
  planned: readonly PlannedFault[],
  found: Violation[],
  roundMs: number,
): Promise<void> {
  const { signal } = common;
  const turns = new Turns();
  const inflict = async ({ name, afterMs, holdMs, choice }: PlannedFault) => {
    const scene: Scene = {
      ...common,
      choice,
      hold: () => pause(holdMs, signal),
      alone: (names, action) => turns.alone(names, action),
      found: (violation) => void found.push(violation),
    };
    await pause(afterMs, signal);
    if (signal.aborted) return;
    await step(found, `inflict and mend ${name}`, () => faultNamed(name).inflict(scene));
  };
  await Promise.all([pause(roundMs, signal), ...planned.map(inflict)]);
}

/** Ends early when `signal` aborts. */
async function pause(forMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, forMs);
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}

/** Buys and sells of the plan's stocks. Some quantities are too high and some names unknown, so these are rejected. */
function randomTrades({ stocks, buys }: LoadPlan, random: Random) {
  return () => ({
    name: random.chance(0.01) ? "NoSuchStock" : random.pick(stocks),
    type: random.chance(buys) ? ("buy" as const) : ("sell" as const),
    quantity: random.chance(0.02) ? 1_000_000_000 : random.whole(1, 10),
  });
}

/** Sends the same keys again, to another front-end than before. They must return their first outcomes. */
async function replay(urls: readonly string[], records: readonly TradeRecord[]): Promise<TradeRecord[]> {
  const settled = records.filter(({ status, reason }) => isOutcome(status, reason));
  return Promise.all(
    settled.map(async ({ request, url }) => {
      const client = new BazaarClient({ urls, first: urls.indexOf(url) + 1 });
      const late = setTimeout(() => client.close(), healTimeoutMs);
      const record = await client.trade(request);
      clearTimeout(late);
      client.close();
      return record;
    }),
  );
}
