/** What the bazaar says about itself on `/cluster`, as far as a benchmark needs it. */

import { clusterReply } from "@stock-bazaar/front-end/http/schemas";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";

export interface ClusterState {
  /** 0: nobody. */
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
