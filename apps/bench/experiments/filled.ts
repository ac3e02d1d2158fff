/**
 * Creates databases with many orders in a minute instead of a day of trading: sales and purchases of one unit in turn,
 * one per millisecond, with keys that are ordered by time. They pass `npm run verify`. The SQL is written by hand
 * because this is a hot path: SQLite generates millions of rows by itself, with no value passed from JavaScript. The ledger
 * is then made of a replica's orders, as a rebuild makes it.
 */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { orderColumns } from "@stock-bazaar/sqlite/order-rows";

const firstTimeSeconds = 1_790_000_000;

/** Fills the ledger and the replicas of a new cluster with `orders` orders. No service may run. */
export async function fill(cluster: Cluster, orders: number): Promise<void> {
  const replicas = [...cluster.replicaFolders].map(([id, folder]) => new ReplicaFile(folder, id));
  for (const replica of replicas) {
    const database = replica.open();
    append(database.client, orders);
    database.close();
  }
  const [first] = replicas;
  if (!first) throw new Error("a cluster must have a replica to be filled");
  const store = chosenLedgerStore(cluster.ledger);
  const stocks = await store.read((view) => view.initialStocks());
  const log = createSqliteOrderLog(first.open());
  try {
    const pages = orderPages({ ordersAfter: (after, limit) => log.after(after, limit) });
    await store.replaceWith({ stocks, pages });
  } finally {
    await log.close();
  }
}

function append(client: SqliteClient, orders: number): void {
  // Keys have the form of a UUIDv7, time first, so that their index grows at its end, as it does with real clients.
  client.exec(`
    WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < ${orders})
    INSERT INTO orders (${orderColumns.join()})
    SELECT
      id,
      printf('%08x-%04x-7%03x-8%03x-%012x', id / 65536, id % 65536, id % 4096, id * 7 % 4096, id),
      CASE (id / 2) % 2 WHEN 0 THEN 'GameStart' ELSE 'FishCo' END,
      CASE id % 2 WHEN 0 THEN 'sell' ELSE 'buy' END,
      1,
      CASE (id / 2) % 2 WHEN 0 THEN 1599 ELSE 850 END,
      1,
      strftime('%Y-%m-%dT%H:%M:%fZ', ${firstTimeSeconds} + id / 1000.0, 'unixepoch')
    FROM ids
    WHERE id <= ${orders}
  `);
}
