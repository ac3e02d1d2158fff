/** One round on several hosts: clients trade, look up and query while something happens, and then all is checked. */

import { openCopies } from "@stock-bazaar/chaos/checks/snapshot";
import { judge } from "@stock-bazaar/chaos/checks/verdict";
import { OrderQueries } from "@stock-bazaar/chaos/clients/order-queries";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { longestSilenceMs, seededStocks, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { queryAll } from "@stock-bazaar/client/order-check";
import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually, within } from "@stock-bazaar/cluster/wait";

/** Generous: a bazaar that doesn't work again after this never will. */
const deadlineMs = 60_000;
const provingTrades = 20;
/** Longer than REQUEST_TIMEOUT_MS: every reply of a front-end is waited for. */
const patientMs = 12_000;
const queriedMax = 300;
const replayedMax = 20;

export interface RoundOptions {
  readonly minCopies: number;
  /** The trades of this cluster's clients in earlier rounds. */
  readonly earlierTrades: readonly TradeRecord[];
  /** How long clients wait for one reply. Default: longer than a front-end takes to give one. */
  readonly patienceMs?: number;
}

export interface Round {
  /** Every broken promise. */
  readonly violations: readonly string[];
  readonly trades: readonly TradeRecord[];
  readonly figures: Figures;
}

export interface Figures {
  readonly accepted: number;
  readonly lookups: number;
  /** Requests that were answered with 503, or not at all. The outcome of such a trade is unknown until its retry. */
  readonly unanswered: number;
  /** The longest time without an accepted trade. */
  readonly silenceMs: number;
  /** The longest time that one trade took, with its retries. */
  readonly slowestMs: number;
  /** How many leaders followed each other. */
  readonly newTerms: number;
  /** From the end of the fault until all replicas follow the leader again, trades are accepted and every front-end answers. */
  readonly healedMs: number;
}

/** The scene of a fault: it is to be inflicted by `inflict` and removed by `mend`, after which the cluster must recover. */
export interface Fault {
  inflict(traffic: Traffic): Promise<void>;
  mend(): Promise<void>;
}

export async function runRound(cluster: Cluster, fault: Fault, options: RoundOptions): Promise<Round> {
  const { minCopies, earlierTrades, patienceMs = patientMs } = options;
  const { urls, initialQuantities } = cluster;
  const violations: string[] = [];
  const copies = openCopies(cluster);
  const asking = new OrderQueries({ urls, clients: 2, random: Math.random, pauseMs: 10 });
  const reading = new Readers({ urls, clients: 4, stocks: seededStocks, pauseMs: 5, patienceMs });
  const observe = (record: TradeRecord) => {
    asking.acknowledged(record);
    const { orderNumber, request, url } = record;
    if (orderNumber === undefined) return;
    for (const other of urls) if (other !== url) reading.lookUpNow(other, request.name);
    if (copies.of(orderNumber) < minCopies)
      violations.push(`I5 order ${orderNumber} was acknowledged with too few copies`);
  };
  const traffic = new Traffic({ urls, clients: 8, twins: 1, persistent: true, patienceMs, observe });
  const wait = { timeoutMs: deadlineMs };
  const termBefore = await termOf(cluster);
  let healedMs = 0;
  try {
    await traffic.more(provingTrades, wait);
    try {
      await fault.inflict(traffic);
    } finally {
      await fault.mend();
    }
    const mendedMs = performance.now();
    await cluster.settled(wait);
    await Promise.all([traffic.more(provingTrades, wait), ...urls.map((url) => answers(url, reading))]);
    healedMs = performance.now() - mendedMs;
    await within("every trade resolves", traffic.stop(), deadlineMs);
    await within("every lookup resolves", reading.stop(), deadlineMs);
    await within("every query resolves", asking.stop(), deadlineMs);
  } finally {
    await Promise.all([traffic.abandon(), reading.abandon(), asking.abandon()]);
    copies.close();
  }
  const { records, accepted } = traffic;
  const sample = accepted.slice(-queriedMax);
  const history = {
    trades: [...earlierTrades, ...records],
    replays: await replay(urls, records.slice(-replayedMax)),
    lookups: reading.lookups,
    failedLookups: reading.failures,
    queries: [...asking.records, ...(await queryAll({ urls, records: sample, clients: 4 }))],
  };
  const found = await judge(cluster, history, { minCopies, initialQuantities, timeoutMs: deadlineMs });
  const attempts = records.reduce((sum, record) => sum + record.attempts - 1, 0);
  const failedQueries = asking.records.filter(({ status }) => status !== 200);
  return {
    violations: [...violations, ...found.map(({ promise, text }) => `${promise} ${text}`)],
    trades: records,
    figures: {
      accepted: accepted.length,
      lookups: reading.lookups.length,
      unanswered: attempts + reading.failures.length + failedQueries.length,
      silenceMs: Math.round(longestSilenceMs(records)),
      slowestMs: Math.round(Math.max(...records.map(({ startMs, endMs }) => endMs - startMs))),
      newTerms: (await termOf(cluster)) - termBefore,
      healedMs: Math.round(healedMs),
    },
  };
}

/** Clients that trade leave a front-end that doesn't answer; those that look up stay with theirs. */
async function answers(url: string, reading: Readers): Promise<void> {
  const before = reading.lookups.length;
  const isAnswered = () => reading.lookups.slice(before).some((lookup) => lookup.url === url);
  await eventually(`${url} answers a lookup`, isAnswered, { timeoutMs: deadlineMs });
}

async function termOf({ url }: Cluster): Promise<number> {
  return (await askCluster(url)).term;
}

/** Sends the same keys again, to another front-end than before. */
async function replay(urls: readonly string[], records: readonly TradeRecord[]): Promise<TradeRecord[]> {
  const settled = records.filter(({ status, reason }) => isOutcome(status, reason));
  return Promise.all(
    settled.map(async ({ request, url }) => {
      const client = new BazaarClient({ urls, first: urls.indexOf(url) + 1, patienceMs: patientMs });
      const record = await client.trade(request);
      client.close();
      return record;
    }),
  );
}
