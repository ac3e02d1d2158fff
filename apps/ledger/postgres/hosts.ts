/**
 * Connects to one of the hosts of a URL. All are tried at once, so a dead one costs nothing.
 *
 * After a failover two hosts may accept writes for a while: the one that was deposed, and its successor. The successor's
 * history has a higher timeline. A write on the other one is never acknowledged where replication is synchronous, so to
 * choose it would cost time, not safety.
 */

import { urlsOfHosts } from "@stock-bazaar/process/ledger-url";
import { type Connection, connectToHost, RefusedServer, UnreachableServer } from "./connection.ts";
import type { ConnectionUse } from "./connection-use.ts";
import { currentTimeline } from "./schema.ts";
import { sqlState } from "./sql-state.ts";

/** How long the other hosts may take when one has answered. */
const othersMs = 100;

/** The highest timeline that this process has seen at each URL. */
const timelines = new Map<string, number>();

interface Candidate {
  readonly connection: Connection;
  /** 0 if the server doesn't tell. */
  readonly timeline: number;
}

/** Rejects with the error of a host if none fits. */
export async function connectTo(url: string, use: ConnectionUse): Promise<Connection> {
  const hosts = urlsOfHosts(url);
  if (hosts.length === 1) return connectToHost(url, use);
  try {
    return await connectToPrimary(url, hosts, { ...use, writes: true });
  } catch (error) {
    if (use.writes) throw error;
    // A standby may lag behind: only if there is nothing better.
    return await firstOf(hosts.map((host) => connectToHost(host, use)));
  }
}

async function connectToPrimary(url: string, hosts: readonly string[], use: ConnectionUse): Promise<Connection> {
  const found: Candidate[] = [];
  let isChosen = false;
  const attempts = hosts.map(async (host) => {
    const connection = await connectToHost(host, use);
    const candidate = { connection, timeline: await timelineOf(connection) };
    if (isChosen) await connection.close();
    else found.push(candidate);
    return candidate;
  });
  await firstOf(attempts);
  await Promise.race([Promise.allSettled(attempts), Bun.sleep(othersMs)]);
  isChosen = true;
  const [best, ...others] = found.toSorted((one, other) => other.timeline - one.timeline);
  for (const { connection } of others) void connection.close();
  if (!best) throw new UnreachableServer("no host is left");
  const last = timelines.get(url) ?? 0;
  if (best.timeline < last) {
    void best.connection.close();
    throw new RefusedServer(`the server was deposed: its timeline must be ${last} (got ${best.timeline})`);
  }
  timelines.set(url, best.timeline);
  return best.connection;
}

async function timelineOf(connection: Connection): Promise<number> {
  try {
    return (await connection.query<{ now: number }>(currentTimeline)).rows[0]?.now ?? 0;
  } catch (error) {
    if (sqlState(error) !== "") return 0;
    throw error;
  }
}

/** The first that resolves. If none does, rejects with the error that says most: that of a host that was reached. */
async function firstOf<Result>(attempts: readonly Promise<Result>[]): Promise<Result> {
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    throw errors.find((each) => !(each instanceof UnreachableServer)) ?? errors.at(-1);
  }
}
