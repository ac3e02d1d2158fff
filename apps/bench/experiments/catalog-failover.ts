/**
 * How long do clients wait when the active one of two catalogs dies, with the ledger on PostgreSQL? On this machine a standby
 * sees at once that a killed process is gone; one on another machine waits for its silence, as for a frozen one.
 */

import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { catalogName } from "@stock-bazaar/cluster/addresses";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { startTemporaryPostgres } from "../embedded-postgres.ts";
import type { FailoverOptions } from "./failover.ts";

export interface CatalogFailoverResult extends FailoverOptions {
  /** For each failover, the longest time that one client waited for the answer to a trade. */
  readonly waitsMs: readonly number[];
  readonly trades: number;
  /** Requests that were answered with neither an order nor a rejection. */
  readonly failed: number;
}

const warmUpTrades = 5000;
const tradesBetween = 1000;

export async function measureCatalogFailover(
  options: FailoverOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<CatalogFailoverResult> {
  const { kills, connections, how } = options;
  const { newDatabase } = await startTemporaryPostgres();
  const cluster = await Cluster.create({ catalogs: 2, environment: { LEDGER_URL: await newDatabase() } });
  try {
    await cluster.startInOrder();
    const traffic = new Traffic({ urls: cluster.urls, clients: connections });
    const wait = { signal, timeoutMs: 120_000 };
    await traffic.more(warmUpTrades, wait);
    const waitsMs: number[] = [];
    for (let kill = 1; kill <= kills; kill += 1) {
      const service = cluster.service(await activeBesideStandby(cluster, signal));
      const earlier = traffic.records.length;
      if (how === "kill -9") await service.kill();
      else service.freeze();
      await traffic.more(tradesBetween, wait);
      waitsMs.push(Math.max(...traffic.records.slice(earlier).map(({ startMs, endMs }) => endMs - startMs)));
      if (how === "kill -9") service.start();
      else service.thaw();
      await traffic.more(tradesBetween, wait);
      progress(`${how} of the active catalog, ${kill} of ${kills}: ${waitsMs.at(-1)?.toFixed(0)} ms`);
    }
    await traffic.stop();
    return { ...options, waitsMs, trades: traffic.accepted.length, failed: traffic.failed.length };
  } finally {
    await cluster.dispose();
  }
}

/** The name of the active catalog, once the other one stands by. */
function activeBesideStandby({ url }: Cluster, signal: AbortSignal): Promise<string> {
  const look = async () => {
    const { catalogs = [] } = await askCluster(url);
    const active = catalogs.findIndex(({ state }) => state === "active");
    return active >= 0 && catalogs.some(({ state }) => state === "standby") && catalogName(active + 1);
  };
  return eventually("one catalog is active and the other one stands by", look, { signal });
}
