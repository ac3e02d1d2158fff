/** What can happen to a stored ledger behind its catalogs' back: a copy that is put in its place, a lock, a loss. */

import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { forTools } from "@stock-bazaar/ledger/postgres/connection-use";
import { connectTo } from "@stock-bazaar/ledger/postgres/hosts";
import { schemaName } from "@stock-bazaar/ledger/postgres/schema";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { connect } from "@stock-bazaar/sqlite/connection";
import { ledgerUrlOf, onServer } from "./on-server.ts";

/** A copy of a ledger as it was. */
export interface LedgerCopy {
  /** Puts it in the ledger's place. No catalog may run. */
  use(): Promise<void>;
  /** Puts the newest ledger back. No catalog may run. */
  useNewest(): Promise<void>;
  remove(): Promise<void>;
}

type Folders = Pick<DatabaseFolders, "ledger" | "catalogFolder">;

/** Makes a consistent copy, even while a catalog writes. */
export function copyLedger(cluster: Folders): Promise<LedgerCopy> {
  return cluster.ledger.ledgerUrl === undefined ? copyFile(cluster.catalogFolder) : copySchema(ledgerUrlOf(cluster));
}

/** Deletes it as `rm catalog.db*` does, or DROP SCHEMA. */
export async function loseLedger(cluster: Folders): Promise<void> {
  if (cluster.ledger.ledgerUrl === undefined) return removeFile(catalogFile(cluster.catalogFolder));
  await onServer(ledgerUrlOf(cluster), (connection) => connection.run(`DROP SCHEMA ${schemaName} CASCADE`));
}

/** Locks it as another program might: reads go on, writes don't. Returns what unlocks it. */
export async function lockLedger(cluster: Folders): Promise<() => Promise<void>> {
  if (cluster.ledger.ledgerUrl === undefined) {
    const file = connect(catalogFile(cluster.catalogFolder), "write");
    file.exec("BEGIN IMMEDIATE");
    return async () => void file.close();
  }
  const connection = await connectTo(ledgerUrlOf(cluster), forTools);
  try {
    await connection.run("BEGIN; SELECT FROM register FOR UPDATE");
  } catch (error) {
    connection.abandon();
    throw error;
  }
  return () => connection.close();
}

/** Changes what is stored, without the tables' own checks. */
export async function changeLedger(cluster: Folders, sql: string): Promise<void> {
  if (cluster.ledger.ledgerUrl !== undefined)
    return onServer(ledgerUrlOf(cluster), (connection) => connection.run(sql));
  const catalog = openCatalogDatabase(cluster.catalogFolder);
  catalog.client.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
  catalog.close();
}

async function copyFile(folder: string): Promise<LedgerCopy> {
  const file = catalogFile(folder);
  // A folder on the catalog's disk, because a file can't be renamed across file systems.
  const aside = mkdtempSync(join(folder, "aside-"));
  const [copy, newest] = [join(aside, "old.db"), join(aside, "newest.db")];
  const catalog = openCatalogDatabase(folder, "read");
  try {
    catalog.client.prepare("VACUUM INTO ?").run(copy);
  } finally {
    catalog.close();
  }
  return {
    async use() {
      // No await between the two: others read the register from the file at this path.
      moveFile(file, newest);
      copyFileSync(copy, file);
    },
    async useNewest() {
      removeFile(file);
      moveFile(newest, file);
    },
    remove: async () => rmSync(aside, { recursive: true }),
  };
}

/** As if the newest dump had been restored. */
async function copySchema(url: string): Promise<LedgerCopy> {
  const [copy, newest] = [`${schemaName}_copy`, `${schemaName}_newest`];
  const tables = { text: "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1" };
  await onServer(url, async (connection) => {
    await connection.run(`BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE SCHEMA ${copy}`);
    for (const { name } of (await connection.query<{ name: string }>(tables, [schemaName])).rows)
      await connection.run(
        `CREATE TABLE ${copy}.${name} (LIKE ${schemaName}.${name} INCLUDING ALL);
         INSERT INTO ${copy}.${name} SELECT * FROM ${schemaName}.${name}`,
      );
    await connection.run("COMMIT");
  });
  const run = (sql: string) => onServer(url, (connection) => connection.run(sql));
  return {
    use: () => run(`ALTER SCHEMA ${schemaName} RENAME TO ${newest}; ALTER SCHEMA ${copy} RENAME TO ${schemaName}`),
    useNewest: () => run(`DROP SCHEMA ${schemaName} CASCADE; ALTER SCHEMA ${newest} RENAME TO ${schemaName}`),
    remove: () => run(`DROP SCHEMA IF EXISTS ${copy} CASCADE`),
  };
}

const parts = ["", "-wal", "-shm"] as const;

function moveFile(from: string, to: string): void {
  for (const part of parts) if (existsSync(`${from}${part}`)) renameSync(`${from}${part}`, `${to}${part}`);
}

function removeFile(file: string): void {
  for (const part of parts) rmSync(`${file}${part}`, { force: true });
}
