/** A replica's database: where its file is, and how it is opened. */

import { join } from "node:path";
import type { AccessMode, Synchronous } from "@stock-bazaar/sqlite/connection";
import { openDatabase, type OpenDatabase } from "@stock-bazaar/sqlite/open";

export type OrderDatabase = OpenDatabase<"orders">;

export function orderFile(dataDir: string, replicaId: number): string {
  return join(dataDir, `order-${replicaId}.db`);
}

/** Throws a DatabaseError that names the command to run, unless the file is there and migrated. */
export function openOrderDatabase(
  dataDir: string,
  replicaId: number,
  mode: AccessMode = "write",
  synchronous: Synchronous = "FULL",
): OrderDatabase {
  return openDatabase("orders", orderFile(dataDir, replicaId), mode, synchronous);
}
