/** Reading the databases while services run: all of them at one moment, without making anybody wait. */

import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import type { Order } from "@stock-bazaar/shared/domain";
import type { LedgerOrder } from "./history.ts";

const pollMs = 20;
const timeoutMsDefault = 30_000;

/** All databases at one moment, the replicas no later than the ledger. */
export interface Snapshot {
  readonly client: SqliteClient;
  readonly replicaIds: readonly number[];
}

/**
 * Looks at the databases in a moment in which these replicas hold what the ledger holds; if there is none in time, as
 * they are then. Without such a moment, the house's own orders would look like a difference.
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

/** On how many replicas' disks an order is at this moment. `close` it in the end. */
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

/** What the ledger holds under these keys. */
export function ordersByKey(
  folders: DatabaseFolders,
  keys: readonly string[],
): Pick<Order, "id" | "key" | "type" | "quantity">[] {
  return inSnapshot(folders, ({ client }) =>
    client
      .prepare<[string], Pick<Order, "id" | "key" | "type" | "quantity">>(
        "SELECT id, key, type, quantity FROM ledger WHERE key IN (SELECT value FROM json_each(?)) ORDER BY id",
      )
      .all(JSON.stringify(keys)),
  );
}

/** The whole ledger in its order. */
export function readLedger(folders: DatabaseFolders): LedgerOrder[] {
  return inSnapshot(folders, ({ client }) => ledgerOf(client));
}

export function ledgerOf(client: SqliteClient): LedgerOrder[] {
  return client.prepare<[], LedgerOrder>("SELECT id, name, type, quantity FROM ledger ORDER BY id").all();
}

function inSnapshot<Result>(folders: DatabaseFolders, look: (snapshot: Snapshot) => Result): Result {
  const catalog = openAll(folders);
  const { client } = catalog;
  const replicaIds = [...folders.replicaFolders.keys()];
  try {
    client.exec("BEGIN");
    // Each file's snapshot is that of its first read. The ledger comes first in life, so here it comes last.
    for (const id of replicaIds) lastIdOf(client, id);
    headOf(client);
    return look({ client, replicaIds });
  } finally {
    catalog.close();
  }
}

function openAll({ catalogFolder, replicaFolders }: DatabaseFolders) {
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

export function headOf(client: SqliteClient): number {
  return client.prepare<[], { head: number }>("SELECT head FROM register").get()?.head ?? -1;
}

export function lastIdOf(client: SqliteClient, id: number): number {
  return client.prepare<[], { id: number }>(`SELECT IFNULL(MAX(id), 0) AS id FROM replica${id}.orders`).get()?.id ?? -1;
}

/** Those that don't hold as much as the ledger. */
export function behind({ client }: Snapshot, replicaIds: readonly number[]): number[] {
  const head = headOf(client);
  return replicaIds.filter((id) => lastIdOf(client, id) !== head);
}
