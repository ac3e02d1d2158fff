/**
 * Reads the orders of the longest replica and compares them with those of the others, on one snapshot of all. A catalog
 * is rebuilt from them only if they agree.
 */

import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { type ReplicaEnd, ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Order } from "@stock-bazaar/shared/domain";
import { attachReplica, type OrderTable, prefixDifferences } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { type Databases, replicaEnds } from "./replicas-here.ts";

export interface ReplicaOrders {
  /** The first difference between a replica and a prefix of the longest one; `undefined` if there is none. */
  difference(): string | undefined;
  /** The orders of the longest replica, from the first. */
  pages(): AsyncIterable<readonly Order[]>;
  close(): void;
}

/** The result must be closed. Its methods throw SQLite's errors, which don't name the file that caused them. */
export function openReplicas(databases: Databases, longest: ReplicaEnd): ReplicaOrders {
  const replica = new ReplicaFile(databases.dataDir, longest.id).open("read");
  const { client } = replica;
  const main: OrderTable = { file: longest.file, table: "main.orders" };
  const page = client.prepare<[number, number], Order>(
    `SELECT ${orderFields} FROM main.orders WHERE id > ? ORDER BY id LIMIT ?`,
  );
  return {
    difference() {
      const others = replicaEnds(databases)
        .filter(({ id }) => id !== longest.id)
        .map(({ id, file }) => attachReplica(client, id, file));
      client.exec("BEGIN");
      for (const { table } of [...others, main]) client.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
      return others.map((other) => prefixDifferences(client, other, main)[0]).find((first) => first !== undefined);
    },
    pages: () => orderPages({ ordersAfter: async (after, limit) => page.all(after, limit) }),
    close: () => replica.close(),
  };
}
