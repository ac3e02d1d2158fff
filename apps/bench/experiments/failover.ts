/**
 * How long do clients wait when the leader dies? Repeated many times, because a single failover is not representative.
 */

import { longestSilenceMs, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { Cluster } from "@stock-bazaar/cluster/cluster";

export interface FailoverOptions {
  readonly kills: number;
  readonly connections: number;
  readonly how: "kill -9" | "SIGSTOP";
}

export interface FailoverResult extends FailoverOptions {
  /** For each failover, the longest time in which no client received an accepted trade. */
  readonly silencesMs: readonly number[];
  readonly trades: number;
  /** Requests that were answered with neither an order nor a rejection. */
  readonly failed: number;
}

const warmUpTrades = 5000;
const tradesBetween = 1000;

export async function measureFailover(
  options: FailoverOptions,
  progress: (line: string) => void,
  signal: AbortSignal,
): Promise<FailoverResult> {
  const { kills, connections, how } = options;
  const cluster = await Cluster.create();
  try {
    await cluster.startInOrder();
    const traffic = new Traffic({ urls: cluster.urls, clients: connections });
    const wait = { signal, timeoutMs: 120_000 };
    await traffic.more(warmUpTrades, wait);
    const silencesMs: number[] = [];
    for (let kill = 1; kill <= kills; kill += 1) {
      const leader = await cluster.leader();
      if (leader === undefined) throw new Error("a replica must lead (there is no leader)");
      const service = cluster.order(leader);
      const earlier = traffic.records.length;
      if (how === "kill -9") await service.kill();
      else service.freeze();
      await traffic.more(tradesBetween, wait);
      // Counted from the last trade before the failure.
      silencesMs.push(longestSilenceMs(traffic.records.slice(Math.max(0, earlier - 1))));
      if (how === "kill -9") service.start();
      else service.thaw();
      await cluster.settled(wait);
      await traffic.more(tradesBetween, wait);
      progress(`${how} of the leader, ${kill} of ${kills}: ${silencesMs.at(-1)?.toFixed(0)} ms`);
    }
    await traffic.stop();
    return { ...options, silencesMs, trades: traffic.accepted.length, failed: traffic.failed.length };
  } finally {
    await cluster.dispose();
  }
}
