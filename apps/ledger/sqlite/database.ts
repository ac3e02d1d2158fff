/** The catalog's database: where its file is, and how it is opened. */

import { join } from "node:path";
import type { AccessMode } from "@stock-bazaar/sqlite/connection";
import { openDatabase, type OpenDatabase } from "@stock-bazaar/sqlite/open";

export type CatalogDatabase = OpenDatabase<"catalog">;

export function catalogFile(dataDir: string): string {
  return join(dataDir, "catalog.db");
}

/** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
export function openCatalogDatabase(dataDir: string, mode: AccessMode = "write"): CatalogDatabase {
  return openDatabase("catalog", catalogFile(dataDir), mode);
}
