/**
 * drizzle's typed queries on a replica's open database, for code that runs rarely.
 *
 * Separate from `database.ts`, so that no service loads a query builder: services have a few statements, prepared once.
 */

import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import type { OrderDatabase } from "./database.ts";
import * as tables from "./tables.ts";

export function queryOrders({ client }: OrderDatabase): BetterSQLite3Database<typeof tables> {
  return drizzle(client, { schema: tables });
}
