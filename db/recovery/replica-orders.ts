/**
 * The orders of the longest replica beside those of the others, all seen at one moment: a catalog is made of them only when
 * they agree.
 */

import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { type ReplicaEnd, ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Order } from "@stock-bazaar/shared/domain";
import { attachReplica, type OrderTable, prefixDifferences } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { type Databases, replicaEnds } from "./replicas-here.ts";

export interface ReplicaOrders {
  /** How another replica differs from a prefix of the longest one; `undefined`: none does. */
  difference(): string | undefined;
  /** Those of the longest one, from the first. */
  pages(): AsyncIterable<readonly Order[]>;
  close(): void;
}

/** Must be closed. What it throws comes from SQLite, which doesn't say which of the files it is about. */
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
