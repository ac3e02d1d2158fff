/** Whose file is damaged? A query over two files fails without saying in which: each is read through alone. */

import { explained } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import type { OpenDatabase } from "@stock-bazaar/sqlite/open";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { readThrough } from "@stock-bazaar/sqlite/order-differences";
import type { DatabaseKind } from "@stock-bazaar/sqlite/kind";

/** Why the orders of a replica's file can't all be read; undefined: they can. */
export function replicaProblem(dataDir: string, id: number): DatabaseError | undefined {
  return problemOf(orderFile(dataDir, id), "main.orders", () => openOrderDatabase(dataDir, id, "read"));
}

/** Why the ledger can't all be read; undefined: it can. */
export function ledgerProblem(dataDir: string): DatabaseError | undefined {
  return problemOf(catalogFile(dataDir), "main.ledger", () => openCatalogDatabase(dataDir, "read"));
}

function problemOf(file: string, table: string, open: () => OpenDatabase<DatabaseKind>): DatabaseError | undefined {
  let database: OpenDatabase<DatabaseKind>;
  try {
    database = open();
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  try {
    readThrough(database.client, { file, table });
    return undefined;
  } catch (error) {
    return explained(file, database.kind, error);
  } finally {
    database.close();
  }
}
