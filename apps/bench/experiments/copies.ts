/**
 * What does a copy cost? Trades with one, two and three live replicas, for each `ORDER_MIN_COPIES` that these allow.
 */

import { Cluster } from "@stock-bazaar/cluster/cluster";
import { measureTrades, type TradesOptions } from "./measured-trades.ts";

export interface CopiesRow {
  readonly liveReplicas: number;
  readonly minCopies: number;
  readonly tradesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const replicas = 3;

export async function measureCopies(
  options: TradesOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<CopiesRow[]> {
  const rows: CopiesRow[] = [];
  for (let liveReplicas = 1; liveReplicas <= replicas; liveReplicas += 1) {
    for (let minCopies = 1; minCopies <= liveReplicas; minCopies += 1) {
      const cluster = await Cluster.create({ environment: { ORDER_MIN_COPIES: String(minCopies) } });
      try {
        await cluster.startInOrder();
        for (const id of cluster.replicaIds.slice(0, replicas - liveReplicas)) await cluster.order(id).stop();
        await cluster.settled({ signal });
        const { requestsPerSecond, p50Ms, p99Ms } = await measureTrades(cluster, options, signal);
        rows.push({ liveReplicas, minCopies, tradesPerSecond: requestsPerSecond, p50Ms, p99Ms });
        progress(`${liveReplicas} live, ${minCopies} required: ${Math.round(requestsPerSecond)} trades/s`);
      } finally {
        await cluster.dispose();
      }
    }
  }
  return rows;
}
