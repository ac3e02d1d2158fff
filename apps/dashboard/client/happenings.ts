/** Describes the changes between two states of the cluster, for the log on the page. */

import type { Cluster, ClusterReplica } from "@stock-bazaar/contract/replies";
import { plural } from "./format.ts";

export interface News {
  readonly text: string;
  readonly bad: boolean;
}

export function happeningsBetween(before: Cluster | undefined, after: Cluster): News[] {
  if (!before) return [];
  const news: News[] = [];
  if (before.catalog.state !== after.catalog.state) {
    news.push(
      after.catalog.state === "live"
        ? { text: "The catalog is back", bad: false }
        : { text: "The catalog is away: trades wait until it is back", bad: true },
    );
  }
  for (const [index, { state }] of after.catalogs?.entries() ?? []) {
    const earlier = before.catalogs?.[index];
    if (earlier && earlier.state !== state) news.push(changeOfCatalog(index + 1, state));
  }
  for (const replica of after.replicas) {
    const earlier = before.replicas.find(({ id }) => id === replica.id);
    if (earlier && earlier.state !== replica.state) news.push(changeOf(replica));
  }
  if (before.leader !== after.leader || before.term !== after.term) {
    news.push(
      after.leader === null
        ? { text: "No replica leads: a new leader is being chosen", bad: true }
        : { text: `Replica ${after.leader} leads, term ${after.term}`, bad: false },
    );
  }
  return news;
}

/** Of one of several catalogs: while another one is active, trading goes on. */
function changeOfCatalog(place: number, state: "active" | "standby" | "away"): News {
  switch (state) {
    case "active":
      return { text: `Catalog ${place} is active`, bad: false };
    case "standby":
      return { text: `Catalog ${place} stands by`, bad: false };
    case "away":
      return { text: `Catalog ${place} is away`, bad: true };
  }
}

function changeOf({ id, state, lag }: ClusterReplica): News {
  switch (state) {
    case "live":
      return { text: `Replica ${id} is back${lag ? `, ${plural(lag, "order")} behind` : ""}`, bad: false };
    case "silent":
      return { text: `Replica ${id} is silent: frozen, or cut off`, bad: true };
    case "away":
      return { text: `Replica ${id} is away`, bad: true };
  }
}
