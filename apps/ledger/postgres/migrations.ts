/**
 * Creates the ledger's schema and brings it up to date with the generated migrations, in one transaction: it happens as a
 * whole or not at all. Of two migrations at once, the second waits and then has nothing to do.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { advice } from "@stock-bazaar/process/advice";
import { withoutPassword } from "@stock-bazaar/process/ledger-url";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import type { Connection } from "./connection.ts";
import { sqlState } from "./sql-state.ts";
import { ledgerExists, schemaName } from "./schema.ts";

const folder = join(import.meta.dirname, "../../..", "migrations", "postgres");
/** Another migration creates the same schema or tables at this moment. */
const createdElsewhere = /^(23505|42P06|42P07|40P01|XX000)$/;
const triesMax = 5;

interface Migration {
  readonly number: number;
  readonly name: string;
}

/** The migrations that this program has, oldest first. */
function knownMigrations(): Migration[] {
  const journal = readFileSync(join(folder, "meta", "_journal.json"), "utf8");
  const { entries } = JSON.parse(journal) as { entries: { tag: string }[] };
  return entries.map(({ tag }, index) => ({ number: index + 1, name: tag }));
}

/** Rejects with a DatabaseError unless the database has exactly the migrations that the program has. */
export async function requireMigrated(connection: Connection, url: string): Promise<void> {
  const name = withoutPassword(url);
  const { rows: found } = await connection.query<{ exists: boolean }>(ledgerExists);
  if (!found[0]?.exists) throw new DatabaseError("missing", name, `does not exist: ${advice.migrateThenSeed}`);
  const newest = knownMigrations().length;
  const done = await countDone(connection);
  if (done > newest) throw tooNew(name, done, newest);
  if (done < newest)
    throw new DatabaseError("not-migrated", name, `has ${done} of ${newest} migrations: ${advice.migrate}`);
}

/** Returns how many migrations were missing. */
export async function migrateLedger(connection: Connection, url: string): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    await connection.run("BEGIN");
    try {
      const applied = await applyMigrations(connection, schemaName, withoutPassword(url));
      await connection.run("COMMIT");
      return applied;
    } catch (error) {
      await connection.run("ROLLBACK");
      if (tries === triesMax || !createdElsewhere.test(sqlState(error))) throw error;
    }
  }
}

/** Applies the missing migrations to a schema, which it creates if it is missing. Must run inside a transaction. */
export async function applyMigrations(connection: Connection, schema: string, name: string): Promise<number> {
  const migrations = knownMigrations();
  const { rows } = await connection.query<{ exists: boolean }>({
    text: `SELECT to_regclass('${schema}.migrations') IS NOT NULL AS exists`,
  });
  let done = 0;
  if (rows[0]?.exists) {
    await connection.run(`SET LOCAL search_path = ${schema}; LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE`);
    done = await countDone(connection);
  } else {
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}; SET LOCAL search_path = ${schema}`);
  }
  if (done > migrations.length) throw tooNew(name, done, migrations.length);
  const missing = migrations.slice(done);
  for (const migration of missing) {
    await connection.run(readFileSync(join(folder, `${migration.name}.sql`), "utf8"));
    await connection.query({ text: "INSERT INTO migrations (number, name) VALUES ($1, $2)" }, [
      migration.number,
      migration.name,
    ]);
  }
  const life = crypto.randomUUID();
  await connection.query(
    {
      text: `INSERT INTO register (term, leader, head, life) SELECT 0, 0, 0, $1 WHERE NOT EXISTS (SELECT 1 FROM register)`,
    },
    [life],
  );
  return missing.length;
}

async function countDone(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ done: number }>({ text: "SELECT count(*) AS done FROM migrations" });
  return rows[0]?.done ?? 0;
}

function tooNew(name: string, done: number, newest: number): DatabaseError {
  const text = `was migrated by a newer version of this program (${done} migrations, this one has ${newest}): update the program`;
  return new DatabaseError("too-new", name, text);
}
