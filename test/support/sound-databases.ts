/** Databases that keep every promise, in which a test can break one thing. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { onTestFinished } from "vitest";

export const initialQuantities = new Map([
  ["GameStart", 100],
  ["FishCo", 50],
]);

const ledger = [
  { id: 1, key: "one", name: "GameStart", type: "buy", quantity: 10 },
  { id: 2, key: "two", name: "FishCo", type: "sell", quantity: 5 },
  { id: 3, key: "three", name: "GameStart", type: "sell", quantity: 1 },
] as const;

export interface SoundDatabases extends DatabaseFolders {
  /** Executes SQL in the catalog's database, without the CHECK constraints of its tables. */
  inCatalog(sql: string): void;
  inReplica(id: number, sql: string): void;
}

/** Creates databases with three orders, two stocks and two replicas. They are deleted when the test has ended. */
export function soundDatabases(): SoundDatabases {
  const folder = mkdtempSync(join(tmpdir(), "bazaar-chaos-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const replicaIds = [1, 2];
  migrateFile(catalogFile(folder), "catalog");
  for (const id of replicaIds) migrateFile(orderFile(folder, id), "orders");
  const inCatalog = (sql: string) => execute(openCatalogDatabase(folder), sql);
  const inReplica = (id: number, sql: string) => execute(openOrderDatabase(folder, id), sql);

  const rows = ledger.map(
    ({ id, key, name, type, quantity }) =>
      `(${id}, '${key}', '${name}', '${type}', ${quantity}, 1599, 1, '2026-01-01T00:00:00.000Z')`,
  );
  inCatalog(`INSERT INTO ledger VALUES ${rows.join()}`);
  inCatalog("INSERT INTO stocks VALUES ('GameStart', 1599, 91, 11, 3), ('FishCo', 850, 55, 5, 2)");
  inCatalog("UPDATE register SET term = 1, leader = 2, head = 3");
  for (const id of replicaIds) inReplica(id, `INSERT INTO orders VALUES ${rows.join()}`);
  return {
    ledger: { dataDir: folder },
    catalogFolder: folder,
    replicaFolders: new Map(replicaIds.map((id) => [id, folder])),
    inCatalog,
    inReplica,
  };
}

function execute({ client, close }: { client: SqliteClient; close: () => void }, sql: string): void {
  // The tables would refuse some of the damage.
  client.pragma("ignore_check_constraints = ON");
  client.exec(sql);
  close();
}

/** The records of the clients: the orders above, and one rejected trade. */
export function soundRecords(): TradeRecord[] {
  return [
    ...ledger.map(({ id, key, name, type, quantity }) =>
      tradeRecord({ key, name, type, quantity }, { orderNumber: id }),
    ),
    tradeRecord(
      { key: "rejected", name: "FishCo", type: "buy", quantity: 1000 },
      { status: 400, reason: "INSUFFICIENT_QUANTITY", orderNumber: undefined },
    ),
  ];
}

/** The record of an accepted trade. It is sent at 100 ms times its order number, and answered 10 ms later. */
export function tradeRecord(request: TradeRecord["request"], change: Partial<TradeRecord> = {}): TradeRecord {
  const at = (change.orderNumber ?? 1) * 100;
  return {
    request,
    status: 200,
    reason: "",
    orderNumber: 1,
    replayed: false,
    attempts: 1,
    url: "http://front-end-1",
    startMs: at,
    endMs: at + 10,
    ...change,
  };
}
