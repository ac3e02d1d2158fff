/**
 * drizzle's typed queries on an open catalog, for tools. They are separate from `database.ts` so that no service loads
 * a query builder: services prepare a few statements once.
 */

import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import type { CatalogDatabase } from "./database.ts";
import * as tables from "./tables.ts";

export function queryCatalog({ client }: CatalogDatabase): BetterSQLite3Database<typeof tables> {
  return drizzle(client, { schema: tables });
}
