/**
 * Creates databases with many orders in a minute instead of a day of trading: sales and purchases of one unit in turn,
 * one per millisecond, with keys that are ordered by time. They pass `npm run verify`. The SQL is written by hand
 * because this is a hot path: SQLite generates millions of rows by itself, with no value passed from JavaScript.
 */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderColumns } from "@stock-bazaar/sqlite/order-rows";

const firstTimeSeconds = 1_790_000_000;

/** Adds orders to the ledger and to these replicas until each holds `orders` of them. No service may run. */
export function fill(cluster: Cluster, orders: number, replicas: readonly number[] = cluster.replicaIds): void {
  const catalog = openCatalogDatabase(cluster.catalogFolder);
  try {
    const { client } = catalog;
    append(client, "ledger", orders);
    client.exec(`
      UPDATE stocks SET
        volume = (SELECT count(*) FROM ledger WHERE ledger.name = stocks.name),
        rev = (SELECT coalesce(max(id), 0) FROM ledger WHERE ledger.name = stocks.name),
        quantity = (SELECT quantity FROM initial_stocks WHERE initial_stocks.name = stocks.name)
          - (SELECT count(*) FROM ledger WHERE ledger.name = stocks.name AND type = 'buy')
          + (SELECT count(*) FROM ledger WHERE ledger.name = stocks.name AND type = 'sell');
      UPDATE register SET term = max(term, 1), leader = ${Math.max(...cluster.replicaIds)}, head = ${orders};
    `);
  } finally {
    catalog.close();
  }
  for (const id of replicas) {
    const replica = openOrderDatabase(cluster.folderOf(`order-${id}`), id);
    append(replica.client, "orders", orders);
    replica.close();
  }
}

function append(client: SqliteClient, table: "ledger" | "orders", orders: number): void {
  // Keys have the form of a UUIDv7, time first, so that their index grows at its end, as it does with real clients.
  client.exec(`
    WITH RECURSIVE ids(id) AS (
      SELECT coalesce(max(id), 0) + 1 FROM ${table} UNION ALL SELECT id + 1 FROM ids WHERE id < ${orders}
    )
    INSERT INTO ${table} (${orderColumns.join()})
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
