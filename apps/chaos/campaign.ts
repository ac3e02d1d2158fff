/**
 * `npm run chaos` runs round after round of faults on real processes while clients trade: it kills and freezes
 * processes, cuts links, fills disks and deletes databases. After each round the same checks compare the replies that
 * the clients received with the databases.
 */

import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { tlsVariables } from "@stock-bazaar/process/tls-files";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { tokenFileVariables } from "@stock-bazaar/process/client-token";
import type { Violation } from "./checks/violation.ts";
import { keepEvidence } from "./evidence.ts";
import type { LedgerServer } from "./ledger-server.ts";
import { type PlanOptions, planRound, replicas, type RoundPlan, type Setting } from "./plan.ts";
import { type RoundResult, runRound } from "./round.ts";
import { addRound, noTotals, type Totals } from "./totals.ts";

export interface CampaignOptions extends PlanOptions {
  /** The first round of the plan to run; counts from 1. */
  readonly from: number;
  readonly rounds: number;
  /** The folder for the evidence of failed rounds. */
  readonly keep: string;
  /** The server of the ledgers, each in a database of its own. Default: they are files. See `possibleFaults`. */
  readonly server?: LedgerServer;
}

export interface FailedRound {
  readonly plan: RoundPlan;
  readonly violations: readonly Violation[];
  /** The folder with its history, logs and databases. */
  readonly kept: string;
}

export interface CampaignResult {
  readonly options: CampaignOptions;
  readonly totals: Totals;
  readonly failed: readonly FailedRound[];
  /**
   * Whether full disks were real ones. `false` if a limit on the size of files replaced them; `undefined` if none was
   * planned.
   */
  readonly mountedDisks: boolean | undefined;
  readonly tookMs: number;
}

interface RunningCluster {
  /** The cluster's number in the plan. */
  readonly number: number;
  readonly cluster: Cluster;
  /** All trades of its clients so far. */
  trades: readonly TradeRecord[];
}

/** Calls `progress` after each round. Rejects when `signal` aborts, after all started processes have ended. */
export async function runCampaign(
  options: CampaignOptions,
  progress: (result: RoundResult, totals: Totals) => void,
  signal: AbortSignal,
): Promise<CampaignResult> {
  const startMs = performance.now();
  const failed: FailedRound[] = [];
  let totals = noTotals;
  let mountedDisks: boolean | undefined;
  let running: RunningCluster | undefined;
  try {
    for (let round = options.from; round < options.from + options.rounds; round += 1) {
      signal.throwIfAborted();
      const plan = planRound(round, options);
      const { setting } = plan;
      if (running?.number !== plan.cluster) {
        await running?.cluster.dispose();
        running = undefined;
        running = { number: plan.cluster, cluster: await createCluster(plan, options), trades: [] };
        if (setting.smallDisk !== undefined) mountedDisks = running.cluster.smallDisk !== undefined;
      }
      const { cluster, trades } = running;
      const isNew = !cluster.hasStarted;
      const result = await attempt(plan, signal, async () => {
        if (isNew) await cluster.startInOrder({ signal });
        return runRound(cluster, plan, { ...options, server: options.server, earlierTrades: trades, signal });
      });
      running.trades = result.history.trades;
      totals = addRound(totals, result, isNew);
      if (result.violations.length > 0) {
        // Damage would show again in the next round, so that round gets a new cluster.
        await cluster.killAll();
        const kept = await keepEvidence(options.keep, options.seed, cluster, result);
        failed.push({ plan, violations: result.violations, kept });
        await cluster.dispose();
        running = undefined;
      }
      progress(result, totals);
    }
  } finally {
    await running?.cluster.dispose();
  }
  return { options, totals, failed, mountedDisks, tookMs: performance.now() - startMs };
}

async function createCluster(
  { setting, load: { frontEnds } }: RoundPlan,
  { server }: CampaignOptions,
): Promise<Cluster> {
  return Cluster.create({
    replicas,
    frontEnds,
    catalogs: setting.catalogs,
    smallDisk: setting.smallDisk,
    relays: setting.relays,
    catalogApart: setting.catalogApart,
    environment: {
      ...tlsVariables(process.env),
      ...tokenFileVariables(process.env),
      ...environmentOf(setting),
      ...(server && { LEDGER_URL: await server.newDatabase() }),
    },
  });
}

/** Runs a round. A round that can't begin or end counts as failed, like one that broke a promise. */
async function attempt(plan: RoundPlan, signal: AbortSignal, action: () => Promise<RoundResult>): Promise<RoundResult> {
  const startMs = performance.now();
  try {
    return await action();
  } catch (error) {
    signal.throwIfAborted();
    return {
      plan,
      violations: [{ promise: "-", harm: "other", text: String(error) }],
      trades: [],
      history: { trades: [], replays: [], lookups: [], failedLookups: [], queries: [] },
      longestSilenceMs: 0,
      tookMs: performance.now() - startMs,
    };
  }
}

function environmentOf(setting: Setting): Record<string, string> {
  return {
    CACHE_SIZE: String(setting.cacheSize),
    CACHE_LEASE_MS: String(setting.cacheLeaseMs),
    ORDER_MIN_COPIES: String(setting.minCopies),
    RESTOCK_INTERVAL_MS: setting.restocks ? "100" : "0",
    RPC_TIMEOUT_MS: String(setting.rpcTimeoutMs),
    REQUEST_TIMEOUT_MS: String(setting.requestTimeoutMs),
  };
}
