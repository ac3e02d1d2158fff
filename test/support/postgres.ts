/**
 * PostgreSQL for tests: one server for each worker, started by the first test that needs it, with a database for each
 * ledger.
 */

import { startTemporaryPostgres, type TemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { forReading } from "@stock-bazaar/ledger/postgres/connection-use";
import { connectTo } from "@stock-bazaar/ledger/postgres/hosts";
import { onTestFinished } from "vitest";

/** What is tested is the ledger, not the server's durability. */
const settings = ["fsync=off", "full_page_writes=off"];

let starting: Promise<TemporaryPostgres> | undefined;
/** Databases of tests that have ended. To create one takes much longer than to empty it. */
const free: string[] = [];

const dropLedgers = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bazaar%' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
END $$`;

/** The URL of an empty database, for one test. */
export async function newPostgresDatabase(): Promise<string> {
  const { url, giveBack } = await takePostgresDatabase();
  onTestFinished(giveBack);
  return url;
}

/** An empty database, until it is given back. */
export async function takePostgresDatabase() {
  starting ??= startTemporaryPostgres(settings);
  const server = await starting;
  const url = free.pop() ?? (await server.newDatabase());
  return {
    url,
    async giveBack() {
      await runSql(url, dropLedgers);
      free.push(url);
    },
  };
}

/** Runs SQL on a ledger's tables, also in a database that refuses writes by default. */
export async function runSql(url: string, sql: string): Promise<void> {
  const connection = await connectTo(url, forReading);
  try {
    await connection.run("SET default_transaction_read_only = off");
    await connection.run(sql);
  } finally {
    await connection.close();
  }
}

/** The server's processes for the connections to this database. */
export async function backendsOf(url: string, which = "true"): Promise<number[]> {
  const connection = await connectTo(url, forReading);
  try {
    const text = `SELECT pid::bigint AS pid FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${which}`;
    return (await connection.query<{ pid: number }>({ text })).rows.map(({ pid }) => pid);
  } finally {
    await connection.close();
  }
}

/** Those of them that wait in a COMMIT for the synchronous standby. */
export function waitingForStandby(url: string): Promise<number[]> {
  return backendsOf(url, "wait_event = 'SyncRep'");
}
