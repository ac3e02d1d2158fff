/** Derives the leader, the lag of each replica and the reply of `GET /cluster` from the state of the cluster. */

import type { Cluster } from "@stock-bazaar/contract/replies";
import type { ClusterState, ReplicaState } from "../bazaar.ts";

/** Returns the leader if it is live and its own status confirms its role. */
export function leaderOf(cluster: ClusterState): ReplicaState | undefined {
  const leader = cluster.replicas.find(({ id }) => id === cluster.leader);
  return leader?.state === "live" && leader.status?.role === "leader" ? leader : undefined;
}

/** Returns the place of the active catalog in CATALOG_ADDRESSES, from 1. */
export function activeCatalogOf({ catalog, catalogs }: ClusterState): number | undefined {
  if (catalogs === undefined) return catalog.state === "away" ? undefined : 1;
  return catalogs.findIndex(({ state }) => state === "active") + 1 || undefined;
}

/**
 * Returns how many orders the replica misses, compared with the ledger's head, or with the leader if the catalog is
 * away. `null` if either number is unknown. Never negative, although the replica's status may be newer than the head.
 */
export function replicaLag(cluster: ClusterState, replica: ReplicaState): number | null {
  const head = cluster.catalog.head ?? leaderOf(cluster)?.status?.lastId;
  if (head === undefined || replica.status === undefined) return null;
  return Math.max(0, head - replica.status.lastId);
}

/**
 * `showsDetails`: with the addresses of processes, and with problems, which name files. They are for the people who run the
 * bazaar; others get the places of processes in their lists.
 */
export function describeCluster(cluster: ClusterState, showsDetails: boolean): { data: Cluster } {
  const shown = (address: string, index: number) => (showsDetails ? address : `#${index + 1}`);
  const { catalog, cache } = cluster;
  return {
    data: {
      leader: cluster.leader === 0 ? null : cluster.leader,
      term: cluster.term,
      catalog: {
        state: catalog.state,
        last_id: catalog.head ?? null,
        stocks: catalog.stocks ?? null,
        ...(showsDetails && catalog.problem !== undefined && { problem: catalog.problem }),
      },
      ...(cluster.catalogs && {
        catalogs: cluster.catalogs.map(({ address, state }, index) => ({
          address: shown(address, index),
          state,
        })),
      }),
      front_ends: cluster.frontEnds.map(({ address, live, dialect }, index) => ({
        address: shown(address, index),
        state: live ? "live" : "away",
        dialect,
      })),
      replicas: cluster.replicas.map((replica) => ({
        id: replica.id,
        state: replica.state,
        role: replica.status?.role ?? null,
        term: replica.status?.term ?? null,
        last_id: replica.status?.lastId ?? null,
        lag: replicaLag(cluster, replica),
        live_followers: replica.status === undefined ? null : [...replica.status.liveFollowers],
      })),
      cache: {
        capacity: cache.capacity,
        size: cache.size,
        hits: cache.hits,
        misses: cache.misses,
        leased: cache.leased,
      },
    },
  };
}
