/** Finds the damaged file. A query over two files fails without naming the file, so each is read through alone. */

import { explained } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { openDatabase, type OpenDatabase } from "./open.ts";
import { readThrough } from "./order-differences.ts";
import type { DatabaseKind } from "./kind.ts";

const orderTables: Record<DatabaseKind, string> = { catalog: "main.ledger", orders: "main.orders" };

/** The reason why not all orders of a file can be read; `undefined` if they can. */
export function orderProblem(kind: DatabaseKind, file: string): DatabaseError | undefined {
  let database: OpenDatabase<DatabaseKind>;
  try {
    database = openDatabase(kind, file, "read");
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  try {
    readThrough(database.client, { file, table: orderTables[kind] });
    return undefined;
  } catch (error) {
    return explained(file, kind, error);
  } finally {
    database.close();
  }
}
