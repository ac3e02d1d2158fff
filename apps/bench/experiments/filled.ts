/**
 * Databases as they are after many trades, made in a minute instead of a day: sales and purchases of one unit in turn,
 * one each millisecond, under keys that are ordered by time. `npm run verify` finds them sound. The SQL is written by hand
 * because it is hot: SQLite makes millions of rows by itself, without a value from here.
 */

import type { Cluster } from "@stock-bazaar/cluster/cluster";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { orderColumns } from "@stock-bazaar/sqlite/order-rows";

const firstTimeSeconds = 1_790_000_000;

/** Adds orders to the ledger and to these replicas, until each holds `orders` of them. Nothing may run. */
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
  // A key in the form of a UUIDv7: the time first, so that its index grows at its end like a client's of today.
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
