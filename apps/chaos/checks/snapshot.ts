/**
 * Reads all databases at one moment while the services run, without blocking them. The SQL for attached files is
 * written by hand, because drizzle's tables don't cover them.
 */

import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { ledger, register } from "@stock-bazaar/ledger/sqlite/tables";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { type CatalogDatabase, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import type { Order } from "@stock-bazaar/shared/domain";
import { sql } from "drizzle-orm";
import type { LedgerOrder } from "./history.ts";

const pollMs = 20;
const timeoutMsDefault = 30_000;

/** All databases at one moment; the replicas are never newer than the ledger. */
export interface Snapshot {
  readonly catalog: CatalogDatabase;
  readonly replicaIds: readonly number[];
}

/**
 * Runs `look` on a snapshot in which these replicas hold all orders of the ledger, or on the last one at the timeout.
 * At any other moment, restocks that are still being copied would look like a difference.
 */
export async function untilEqual<Result>(
  folders: DatabaseFolders,
  equal: readonly number[],
  look: (snapshot: Snapshot) => Result,
  timeoutMs: number = timeoutMsDefault,
): Promise<Result> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const isLate = performance.now() > deadlineMs;
    const result = inSnapshot(folders, (snapshot) =>
      isLate || behind(snapshot, equal).length === 0 ? { value: look(snapshot) } : undefined,
    );
    if (result) return result.value;
    await Bun.sleep(pollMs);
  }
}

/** Counts the replicas that have an order on disk at the moment of the call. The caller must `close` it. */
export function openCopies(folders: DatabaseFolders): { of(orderNumber: number): number; close(): void } {
  const catalog = openAll(folders);
  const counts = [...folders.replicaFolders.keys()].map((id) =>
    catalog.client.prepare<[number], { copies: number }>(
      `SELECT COUNT(*) AS copies FROM replica${id}.orders WHERE id = ?`,
    ),
  );
  return {
    of: (orderNumber) => counts.reduce((sum, count) => sum + (count.get(orderNumber)?.copies ?? 0), 0),
    close: () => catalog.close(),
  };
}

/** The ledger's orders with these keys. */
export function ordersByKey(
  folders: DatabaseFolders,
  keys: readonly string[],
): Pick<Order, "id" | "key" | "type" | "quantity">[] {
  const { id, key, type, quantity } = ledger;
  // One parameter with all keys: SQLite limits the number of parameters.
  const isAsked = sql`${key} IN (SELECT value FROM json_each(${JSON.stringify(keys)}))`;
  return inCatalog(folders, (catalog) =>
    queryCatalog(catalog).select({ id, key, type, quantity }).from(ledger).where(isAsked).orderBy(id).all(),
  );
}

/** The whole ledger, in order of ids. */
export function readLedger(folders: DatabaseFolders): LedgerOrder[] {
  return inCatalog(folders, ledgerOf);
}

export function ledgerOf(catalog: CatalogDatabase): LedgerOrder[] {
  const { id, name, type, quantity } = ledger;
  return queryCatalog(catalog).select({ id, name, type, quantity }).from(ledger).orderBy(id).all();
}

function inCatalog<Result>({ catalogFolder }: DatabaseFolders, look: (catalog: CatalogDatabase) => Result): Result {
  const catalog = openCatalogDatabase(catalogFolder, "read");
  try {
    return look(catalog);
  } finally {
    catalog.close();
  }
}

function inSnapshot<Result>(folders: DatabaseFolders, look: (snapshot: Snapshot) => Result): Result {
  const catalog = openAll(folders);
  const { client } = catalog;
  const replicaIds = [...folders.replicaFolders.keys()];
  try {
    client.exec("BEGIN");
    // Each file's snapshot is taken by its first read. The services write the ledger first, so it is read last here.
    for (const id of replicaIds) lastIdOf(client, id);
    headOf(catalog);
    return look({ catalog, replicaIds });
  } finally {
    catalog.close();
  }
}

function openAll({ catalogFolder, replicaFolders }: DatabaseFolders): CatalogDatabase {
  const catalog = openCatalogDatabase(catalogFolder, "read");
  try {
    for (const [id, folder] of replicaFolders)
      catalog.client.prepare(`ATTACH ? AS replica${id}`).run(orderFile(folder, id));
    return catalog;
  } catch (error) {
    catalog.close();
    throw error;
  }
}

export function headOf(catalog: CatalogDatabase): number {
  return queryCatalog(catalog).select({ head: register.head }).from(register).get()?.head ?? -1;
}

export function lastIdOf(client: SqliteClient, id: number): number {
  return client.prepare<[], { id: number }>(`SELECT IFNULL(MAX(id), 0) AS id FROM replica${id}.orders`).get()?.id ?? -1;
}

/** Returns the replicas that don't end at the ledger's head. */
export function behind({ catalog }: Snapshot, replicaIds: readonly number[]): number[] {
  const head = headOf(catalog);
  return replicaIds.filter((id) => lastIdOf(catalog.client, id) !== head);
}
