/** Requests the state of the bazaar, and formats it as a table. */

import { BazaarClient, describeRefusal, refusalOf } from "@stock-bazaar/client/bazaar-client";
import type { Cluster } from "@stock-bazaar/contract/replies";
import { percent, whole } from "@stock-bazaar/report/figures";
import { columns } from "@stock-bazaar/report/table";

const patienceMs = 5000;
/** The start of the bazaar's reason. It is cut off, because the reason follows these words here too. */
const notReady = /^Not ready: /;

export type Status = Cluster & {
  readonly url: string;
  /** The catalog and a leader answer. */
  readonly ready: boolean;
  /** Why it isn't ready. */
  readonly reason?: string;
  /** Time of the request: ISO 8601, UTC. */
  readonly at: string;
};

/** The result without an answer, or with one that isn't a bazaar's. */
export interface NoStatus {
  readonly url: string;
  readonly ready: false;
  readonly reason: string;
  readonly at: string;
}

export async function askStatus(url: string): Promise<Status | NoStatus> {
  const asked = new Date().toISOString();
  const client = new BazaarClient({ urls: [url], giveUpMs: 0, patienceMs });
  try {
    const { cluster, ...reply } = await client.cluster();
    const none = (reason: string): NoStatus => ({ url, ready: false, reason, at: asked });
    if (reply.status === 0) return none(`no answer from ${url}: ${reply.reason}`);
    if (cluster === undefined) return none(describeRefusal(reply));
    const first = await client.request("GET", "/readyz");
    // A proxy may close the connection after each reply. The second attempt opens a new one.
    const ready = first.status === 0 ? await client.request("GET", "/readyz") : first;
    const fallback = ready.status === 0 ? `no answer to /readyz: ${ready.reason}` : `/readyz answers ${ready.status}`;
    const reason = refusalOf(ready.body)?.replace(notReady, "") ?? fallback;
    return {
      url,
      ready: ready.status === 200,
      ...(ready.status === 200 ? {} : { reason }),
      at: asked,
      ...cluster,
    };
  } finally {
    client.close();
  }
}

export function isAnswered(status: Status | NoStatus): status is Status {
  return "replicas" in status;
}

/** Returns the table of `status --watch` or `status`. The rate is computed from `earlier`, the status before. */
export function describeStatus(status: Status, earlier?: Status | NoStatus): string {
  const { url, ready, reason, leader, term, catalog, catalogs = [], replicas, cache, front_ends: frontEnds } = status;
  const led = leader === null ? "no replica leads" : `replica ${leader} leads in term ${term}`;
  const rows = [
    ["process", "state", "role", "term", "last id", "lag"],
    ...frontEnds.map(({ address, state, dialect }) => [`front-end ${address}`, state, `speaks ${dialect}`, "", "", ""]),
    ["catalog", catalog.state, "", "", number(catalog.last_id), ""],
    ...catalogs.map(({ address, state }) => [`catalog ${address}`, state, "", "", "", ""]),
    ...replicas.map(({ id, state, role, term, last_id, lag }) => [
      `${id === leader ? "*" : " "}order-${id}`,
      state,
      role ?? "–",
      number(term),
      number(last_id),
      number(lag),
    ]),
  ];
  const rate = ordersPerSecond(status, earlier);
  const asked = cache.hits + cache.misses;
  const share = asked === 0 ? "" : `; it answered ${percent(cache.hits / asked)} of ${whole(asked)} lookups`;
  const held =
    cache.capacity === 0 ? "cache off" : `cache: ${whole(cache.size)} of ${whole(cache.capacity)} stocks${share}`;
  const lease = cache.capacity === 0 || cache.leased ? "" : "; no lease, so it isn't used now";
  return [
    `${url}: ${ready ? "ready to trade" : `NOT READY: ${reason}`}; ${led}${rate === undefined ? "" : `; ${whole(rate)} orders/s`}`,
    "",
    ...columns(rows, 3),
    "",
    `${held}${lease}`,
    ...(catalog.problem === undefined ? [] : [`catalog can't write: ${catalog.problem}`]),
    "",
  ].join("\n");
}

function ordersPerSecond(status: Status, earlier: Status | NoStatus | undefined): number | undefined {
  if (earlier === undefined || !isAnswered(earlier)) return undefined;
  const [before, after] = [earlier.catalog.last_id, status.catalog.last_id];
  const tookMs = Date.parse(status.at) - Date.parse(earlier.at);
  return before === null || after === null || tookMs <= 0 ? undefined : ((after - before) * 1000) / tookMs;
}

function number(value: number | null): string {
  return value === null ? "–" : String(value);
}
