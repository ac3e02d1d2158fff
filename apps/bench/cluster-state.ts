/** The part of the reply of `/cluster` that a benchmark needs. */

import { askCluster } from "@stock-bazaar/client/ask-cluster";

export interface ClusterState {
  /** The leader's id; 0 if there is none. */
  readonly leader: number;
  /** Live followers of the leader. */
  readonly liveFollowers: number;
  /** Every replica is live and holds every order. */
  readonly isEven: boolean;
}

export async function askClusterState(url: string): Promise<ClusterState> {
  const { leader, replicas } = await askCluster(url);
  const leading = replicas.find(({ id }) => id === leader);
  return {
    leader: leader ?? 0,
    liveFollowers: leading?.live_followers?.length ?? 0,
    isEven: replicas.every(({ state, lag }) => state === "live" && lag === 0),
  };
}
