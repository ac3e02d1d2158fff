/**
 * PostgreSQL for tests: one server for each worker, started by the first test that needs it, with a database for each
 * ledger.
 */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgresForTests } from "@stock-bazaar/bench/embedded-postgres";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { type Connection, connectTo, forReading, forTools } from "@stock-bazaar/ledger/postgres/connection";
import { onTestFinished } from "vitest";

interface Server {
  readonly port: number;
  readonly admin: Connection;
  databases: number;
  /** Databases of tests that have ended. To create one takes much longer than to empty it. */
  readonly free: string[];
}

const dropLedgers = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bazaar%' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
END $$`;

let starting: Promise<Server> | undefined;

/** The URL of an empty database, for one test. */
export async function newPostgresDatabase(): Promise<string> {
  const { url, giveBack } = await takePostgresDatabase();
  onTestFinished(giveBack);
  return url;
}

/** An empty database, until it is given back. */
export async function takePostgresDatabase() {
  starting ??= start();
  const server = await starting;
  const name = server.free.pop() ?? (await createDatabase(server));
  const url = urlOf(server.port, name);
  return {
    url,
    async giveBack() {
      await runSql(url, dropLedgers);
      server.free.push(name);
    },
  };
}

async function createDatabase(server: Server): Promise<string> {
  server.databases += 1;
  const name = `ledger_${server.databases}`;
  await server.admin.run(`CREATE DATABASE ${name} STRATEGY FILE_COPY`);
  return name;
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
export async function backendsOf(url: string): Promise<number[]> {
  const connection = await connectTo(url, forReading);
  try {
    const text =
      "SELECT pid::bigint AS pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    return (await connection.query<{ pid: number }>({ text })).rows.map(({ pid }) => pid);
  } finally {
    await connection.close();
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${database}`;
}

async function start(): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-postgres-"));
  // What is tested is the ledger, not the server's durability.
  await startPostgresForTests({ folder, port, settings: ["fsync=off", "full_page_writes=off", "max_connections=100"] });
  const admin = await eventually("PostgreSQL answers", () => connectTo(urlOf(port, "postgres"), forTools));
  return { port, admin, databases: 0, free: [] };
}
