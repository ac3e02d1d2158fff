/**
 * The part of the reply of `/cluster` that a benchmark needs. It is read without the schema: earlier versions of the
 * bazaar are measured too, and lack fields that were added later.
 */

import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { at } from "@stock-bazaar/shared/json";

export interface ClusterState {
  /** The leader's id; 0 if there is none. */
  readonly leader: number;
  /** Live followers of the leader. */
  readonly liveFollowers: number;
  /** The number of the ledger's last order. */
  readonly head: number;
  /** Every replica is live and holds every order. */
  readonly isEven: boolean;
}

const patienceMs = 2000;

export async function askClusterState(url: string): Promise<ClusterState> {
  const response = await fetchDirectly(`${url}/cluster`, { signal: AbortSignal.timeout(patienceMs) });
  return parseClusterState(await response.json());
}

/** Throws for a reply that isn't that of a bazaar. */
export function parseClusterState(reply: unknown): ClusterState {
  const replicas = at(reply, "data", "replicas");
  if (!Array.isArray(replicas))
    throw new Error(`/cluster must list replicas (got ${JSON.stringify(reply)?.slice(0, 200)})`);
  const leader = Number(at(reply, "data", "leader") ?? 0);
  const followers = at(
    replicas.find((replica) => at(replica, "id") === leader),
    "live_followers",
  );
  return {
    leader,
    head: Number(at(reply, "data", "catalog", "last_id") ?? 0),
    liveFollowers: Array.isArray(followers) ? followers.length : 0,
    isEven: replicas.every((replica) => at(replica, "state") === "live" && at(replica, "lag") === 0),
  };
}
