/** Measures trades on a running cluster, after a warm-up. */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { type LoadTarget, type MeasuredLoad, putLoad } from "../load.ts";
import type { LoadTool } from "../names.ts";

export interface TradesOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly tool: LoadTool;
}

export async function measureTrades(
  cluster: Cluster,
  { connections, seconds, warmUpSeconds, tool }: TradesOptions,
  signal: AbortSignal,
): Promise<MeasuredLoad> {
  const target = tradeTarget(cluster);
  const load = { kind: "trades", connections } as const;
  if (warmUpSeconds > 0) await putLoad(tool, { ...load, seconds: warmUpSeconds }, target, signal);
  return putLoad(tool, { ...load, seconds }, target, signal);
}

export function tradeTarget(cluster: Cluster): LoadTarget {
  return { url: cluster.url, stocks: [...cluster.initialQuantities.keys()] };
}
