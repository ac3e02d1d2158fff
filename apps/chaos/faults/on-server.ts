/** SQL behind the catalogs' back, on the server of a cluster's ledger. */

import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import type { Connection } from "@stock-bazaar/ledger/postgres/connection";
import { forTools } from "@stock-bazaar/ledger/postgres/connection-use";
import { connectTo } from "@stock-bazaar/ledger/postgres/hosts";
import { sqlState } from "@stock-bazaar/ledger/postgres/sql-state";

/** How many connections are opened together. */
const atOnce = 8;

const sessions = {
  text: "SELECT pid::bigint AS pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
};

export function ledgerUrlOf({ ledger: { ledgerUrl } }: Pick<DatabaseFolders, "ledger">): string {
  if (ledgerUrl === undefined) throw new Error("the ledger must be on a server (it is a file)");
  return ledgerUrl;
}

export async function onServer<Result>(
  url: string,
  action: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectTo(url, forTools);
  try {
    return await action(connection);
  } finally {
    await connection.close().catch(() => {});
  }
}

/** The server's processes for the sessions of a ledger. */
export function sessionsOf(url: string): Promise<number[]> {
  return onServer(url, async (connection) =>
    (await connection.query<{ pid: number }>(sessions, [databaseOf(url)])).rows.map(({ pid }) => pid),
  );
}

/** Ends the sessions of a ledger, as an administrator does. */
export async function endSessions(connection: Connection, url: string): Promise<void> {
  const text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
  await connection.query({ text }, [databaseOf(url)]);
}

/** Takes every connection that the server accepts, those of the ledger's sessions too. Returns what gives them back. */
export async function takeAllConnections(url: string): Promise<() => Promise<void>> {
  const elsewhere = url.replace(/\/[^/]*$/, "/postgres");
  const taken: Connection[] = [];
  const takeFree = async () => {
    for (;;) {
      const tried = await Promise.allSettled(Array.from({ length: atOnce }, () => connectTo(elsewhere, forTools)));
      for (const attempt of tried) if (attempt.status === "fulfilled") taken.push(attempt.value);
      const failed = tried.find((attempt) => attempt.status === "rejected");
      if (failed && sqlState(failed.reason) !== "53300") throw failed.reason;
      if (failed) return;
    }
  };
  const giveBack = async () => void (await Promise.all(taken.map((connection) => connection.close())));
  try {
    // The catalogs connect again at once, and get some of the connections that they have just lost.
    for (let left = 1; left > 0; ) {
      await takeFree();
      const [own] = taken;
      if (!own) throw new Error("the server must accept a connection (it has none left)");
      const { rows } = await own.query<{ pid: number }>(sessions, [databaseOf(url)]);
      left = rows.length;
      await endSessions(own, url);
    }
    return giveBack;
  } catch (error) {
    await giveBack();
    throw error;
  }
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1);
}
