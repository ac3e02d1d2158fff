/** The picture of the cluster: its processes, which replica leads, which ones lag, and which processes are away. */

import { Fragment } from "preact";
import type { Cluster, ClusterFrontEnd, ClusterReplica } from "@stock-bazaar/contract/replies";
import { count } from "./format.ts";
import type { Model } from "./model.ts";

/** Where the three columns end and begin, in percent, as in the style sheet. */
const edges = [24, 36, 64, 78] as const;
/** With more replicas than these, a phone has no room for the picture and shows a list. */
const phoneReplicasMax = 4;

interface ClusterPictureProps {
  readonly model: Model;
  /** The number of an order; replicas that hold it get a mark. */
  readonly followed: number | undefined;
}

export function ClusterPicture({ model, followed }: ClusterPictureProps) {
  const { cluster, connection, samples } = model;
  if (!cluster) return <p class="quiet">Waiting for the front-end…</p>;
  const { catalog, catalogs = [], cache, replicas } = cluster;
  const [self, ...others] = cluster.front_ends;
  const isTrading = connection === "live" && (samples.at(-1)?.orders_per_second ?? 0) > 0;
  const isReached = connection === "live";
  return (
    <div
      class={`picture${isTrading ? " trading" : ""}${replicas.length > phoneReplicasMax ? " many" : ""}`}
      style={{ "--count": replicas.length }}
    >
      <Lines cluster={cluster} isReached={isReached} direction="across" />
      <Lines cluster={cluster} isReached={isReached} direction="down" />
      <ul aria-label="The cluster">
        <li class={`node front-end ${isReached ? "live" : "away"}`}>
          <span class="name">Front-end{dialectOf(self)}</span>
          <span class="state">{isReached ? "live" : "doesn't answer"}</span>
          <span class="detail">
            {cache.capacity === 0 ? "cache off" : `cache ${count(cache.size)} of ${count(cache.capacity)}`}
          </span>
          {isReached && others.length > 0 && (
            <ul class="others" aria-label="Other front-ends">
              {others.map((other) => (
                <li key={other.address} class={other.state}>
                  {other.address}
                  {dialectOf(other)} <span class="state">{other.state}</span>
                </li>
              ))}
            </ul>
          )}
        </li>
        {replicas.toReversed().map((replica) => (
          <ReplicaNode
            key={replica.id}
            replica={replica}
            isReached={isReached}
            leads={leads(cluster, replica)}
            followed={followed}
          />
        ))}
        <li class={`node catalog ${isReached ? catalog.state : "unknown"}`}>
          <span class="name">Catalog</span>
          <span class="state">{seen(catalog.state, isReached)}</span>
          <span class="detail">{catalog.last_id === null ? "ledger unknown" : `ledger ${count(catalog.last_id)}`}</span>
          {catalogs.length > 0 && (
            <ul class="others" aria-label="Catalogs">
              {catalogs.map(({ address, state }, index) => (
                <li key={address} class={isReached ? state : "unknown"}>
                  {index + 1}: {address} <span class="state">{seen(state, isReached)}</span>
                </li>
              ))}
            </ul>
          )}
        </li>
      </ul>
    </div>
  );
}

/** The dialect in parentheses, unless it is the default. */
function dialectOf(frontEnd: ClusterFrontEnd | undefined): string {
  return !frontEnd || frontEnd.dialect === "bazaar" ? "" : ` (${frontEnd.dialect})`;
}

function leads(cluster: Cluster, { id, state, role }: ClusterReplica): boolean {
  return cluster.leader === id && state === "live" && role === "leader";
}

/** What only the front-end knows was true when it was last heard. */
function seen(state: string, isReached: boolean): string {
  return isReached ? state : `last seen: ${state}`;
}

interface ReplicaNodeProps {
  readonly replica: ClusterReplica;
  readonly isReached: boolean;
  readonly leads: boolean;
  readonly followed: number | undefined;
}

function ReplicaNode(props: ReplicaNodeProps) {
  const { replica, followed, isReached } = props;
  const { id, state, last_id: lastId, lag } = replica;
  const role = props.leads ? "leads" : replica.role === "taking-over" ? "taking over" : "follows";
  // The leader's status is a moment older than the ledger's head, so its lag is not shown.
  const behind = props.leads ? 0 : (lag ?? 0);
  return (
    <li class={`node replica ${isReached ? state : "unknown"}${props.leads && isReached ? " leader" : ""}`}>
      <span class="name">
        {props.leads && <Crown />}Replica {id}
      </span>
      <span class="state">{seen(state === "live" ? role : state, isReached)}</span>
      <span class="detail">
        {lastId === null ? "last order unknown" : `order ${count(lastId)}`}
        {behind > 0 && <em> {count(behind)} behind</em>}
        {followed !== undefined && (lastId ?? 0) >= followed && <Fragment> ✓</Fragment>}
      </span>
    </li>
  );
}

function Crown() {
  return (
    <svg class="crown" viewBox="0 0 24 18" role="img" aria-label="Leader:">
      <path d="M2 16h20v-2.4H2zM2.2 12.4 1 3.2l6 4.2L12 .8l5 6.6 6-4.2-1.2 9.2z" />
    </svg>
  );
}

/** `across` for wide screens, `down` for phones; the style sheet shows one of them. */
function Lines(props: { cluster: Cluster; isReached: boolean; direction: "across" | "down" }) {
  const { cluster, isReached, direction } = props;
  const { replicas } = cluster;
  const shown = replicas.toReversed().map((replica, index) => ({
    replica,
    // Position along the column of replicas, in percent.
    at: ((index + 0.5) / replicas.length) * 100,
    isLeader: leads(cluster, replica),
  }));
  const leader = shown.find(({ isLeader }) => isLeader);
  /** A line from the front-end or the leader to the next column. */
  const path = (x1: number, y1: number, x2: number, y2: number) => {
    const middle = (x1 + x2) / 2;
    return direction === "across"
      ? `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`
      : `M${y1} ${x1}C${y1} ${middle} ${y2} ${middle} ${y2} ${x2}`;
  };
  /** A line from the leader to a follower in the same column. */
  const bracket = (from: number, to: number) => {
    const [, , edge, next] = edges;
    const out = edge + (next - edge) * 0.6;
    return direction === "across"
      ? `M${edge} ${from}C${out} ${from} ${out} ${to} ${edge} ${to}`
      : `M${from} ${edge}C${from} ${out} ${to} ${out} ${to} ${edge}`;
  };
  return (
    <svg class={`lines ${direction}`} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {shown.map(({ replica, at, isLeader }) => {
        const state = replica.state === "live" && isReached ? "" : " broken";
        return (
          <Fragment key={replica.id}>
            <path class={isLeader ? `way${state}` : `watch${state}`} d={path(edges[0], 50, edges[1], at)} />
            {isLeader && (
              <path
                class={cluster.catalog.state === "live" ? "way" : "way broken"}
                d={path(edges[2], at, edges[3], 50)}
              />
            )}
            {!isLeader && leader && <path class={`copy${state}`} d={bracket(leader.at, at)} />}
          </Fragment>
        );
      })}
    </svg>
  );
}
