/**
 * drizzle's typed queries on an open database, for what runs seldom. Apart from `open.ts`, so that no service loads a
 * query builder: theirs are a few statements, prepared once.
 */

import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import * as catalogTables from "./catalog-tables.ts";
import type { CatalogDatabase, OrderDatabase } from "./open.ts";
import * as orderTables from "./order-tables.ts";

export function queryCatalog({ client }: CatalogDatabase): BetterSQLite3Database<typeof catalogTables> {
  return drizzle(client, { schema: catalogTables });
}

export function queryOrders({ client }: OrderDatabase): BetterSQLite3Database<typeof orderTables> {
  return drizzle(client, { schema: orderTables });
}
