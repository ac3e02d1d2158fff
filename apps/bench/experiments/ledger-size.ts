/**
 * What do old orders cost? For databases of growing size, this measures the trades per second, the memory of the
 * processes, and how long a replica takes to start. The bazaars run at once and are loaded in turn, as in
 * pairs/pairs.ts: on a shared machine only the ratios of such pairs can be trusted.
 */

import { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { median } from "@stock-bazaar/report/statistics";
import { type MeasuredLoad, putLoad } from "../load.ts";
import { inTurn, type PairedRatio, pairedRatio } from "../pairs/ratios.ts";
import { fill } from "./filled.ts";
import { type TradesOptions, tradeTarget } from "./measured-trades.ts";
import { memoryMibOf } from "./memory.ts";

export interface LedgerSizeOptions extends TradesOptions {
  /** Sizes of the ledger in orders, ascending. */
  readonly sizes: readonly number[];
  readonly rounds: number;
}

export interface LedgerSizeRow {
  readonly orders: number;
  /** From the start of the process until it listens. */
  readonly replicaStartMs: number;
  /** The median of the rounds; `p99Ms` too. */
  readonly tradesPerSecond: number;
  readonly p99Ms: number;
  /** The rate, as a ratio to that of the smallest ledger. */
  readonly ratio: PairedRatio | undefined;
  readonly memoryMib: Readonly<Record<string, number>>;
}

interface Filled {
  readonly orders: number;
  readonly cluster: Cluster;
  readonly loads: MeasuredLoad[];
}

/** The replica that is restarted. It is never the leader, because the highest id leads. */
const restarted = 1;

export async function measureLedgerSizes(
  { sizes, rounds, ...options }: LedgerSizeOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<LedgerSizeRow[]> {
  const all: Filled[] = [];
  try {
    for (const orders of sizes) {
      const cluster = await Cluster.create();
      all.push({ orders, cluster, loads: [] });
      progress(`${orders} orders: filling the databases`);
      await fill(cluster, orders);
      await cluster.startInOrder();
    }
    const { tool, connections, seconds, warmUpSeconds } = options;
    const trade = (cluster: Cluster, length: number) =>
      putLoad(tool, { kind: "trades", connections, seconds: length }, tradeTarget(cluster), signal);
    for (const { cluster } of all) if (warmUpSeconds > 0) await trade(cluster, warmUpSeconds);
    for (let round = 1; round <= rounds; round += 1)
      for (const { orders, cluster, loads } of inTurn(all, round)) {
        const load = await trade(cluster, seconds);
        loads.push(load);
        progress(`round ${round}/${rounds}  ${orders} orders: ${Math.round(load.requestsPerSecond)} trades/s`);
      }
    const rows: LedgerSizeRow[] = [];
    for (const filled of all) rows.push(await row(filled, all[0]?.loads ?? [], signal));
    return rows;
  } finally {
    for (const { cluster } of all) await cluster.dispose();
  }
}

async function row({ orders, cluster, loads }: Filled, base: readonly MeasuredLoad[], signal: AbortSignal) {
  const rates = (of: readonly MeasuredLoad[]) => of.map(({ requestsPerSecond }) => requestsPerSecond);
  const memoryMib = Object.fromEntries(
    cluster.services.flatMap(({ name, pid }) => {
      const mib = pid === undefined ? undefined : memoryMibOf(pid);
      return mib === undefined ? [] : [[name, mib]];
    }),
  );
  return {
    orders,
    replicaStartMs: await restartMs(cluster, signal),
    tradesPerSecond: median(rates(loads)) ?? 0,
    p99Ms: median(loads.map(({ p99Ms }) => p99Ms)) ?? 0,
    ratio: pairedRatio(rates(loads), rates(base)),
    memoryMib,
  };
}

async function restartMs(cluster: Cluster, signal: AbortSignal): Promise<number> {
  const service = cluster.order(restarted);
  await service.stop();
  const startMs = performance.now();
  service.start();
  await eventually("the replica listens", () => service.newLines.some((line) => line.includes("listening")), {
    signal,
    pollMs: 1,
  });
  return performance.now() - startMs;
}
