/** One question about the state of the bazaar, for programs that ask nothing else. */

import type { Cluster } from "@stock-bazaar/contract/replies";
import { BazaarClient, describeRefusal } from "./bazaar-client.ts";

const patienceMs = 2000;

/** Rejects when the front-end at `url` gives no answer, or one that no bazaar gives, or when `signal` ends the wait. */
export async function askCluster(url: string, signal?: AbortSignal): Promise<Cluster> {
  signal?.throwIfAborted();
  const client = new BazaarClient({ urls: [url], giveUpMs: 0, patienceMs });
  const giveUp = () => client.close();
  signal?.addEventListener("abort", giveUp);
  try {
    const { cluster, ...reply } = await client.cluster();
    if (cluster !== undefined) return cluster;
    throw new Error(reply.status === 0 ? `no answer from ${url}: ${reply.reason}` : describeRefusal(reply));
  } finally {
    signal?.removeEventListener("abort", giveUp);
    client.close();
  }
}
