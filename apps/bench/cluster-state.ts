/** The part of the reply of `/cluster` that a benchmark needs. */

import { clusterReply } from "@stock-bazaar/contract/schemas";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";

export interface ClusterState {
  /** The leader's id; 0 if there is none. */
  readonly leader: number;
  /** Live followers of the leader. */
  readonly liveFollowers: number;
  /** Every replica is live and holds every order. */
  readonly isEven: boolean;
}

export async function askCluster(url: string): Promise<ClusterState> {
  const response = await fetchDirectly(`${url}/cluster`, { signal: AbortSignal.timeout(2000) });
  const { data } = clusterReply.parse(await response.json());
  const leading = data.replicas.find(({ id }) => id === data.leader);
  return {
    leader: data.leader ?? 0,
    liveFollowers: leading?.live_followers?.length ?? 0,
    isEven: data.replicas.every(({ state, lag }) => state === "live" && lag === 0),
  };
}
