/** The path of the catalog's database, and how to open it. */

import { join } from "node:path";
import type { AccessMode } from "@stock-bazaar/sqlite/connection";
import { openDatabase, type OpenDatabase } from "@stock-bazaar/sqlite/open";

export type CatalogDatabase = OpenDatabase<"catalog">;

export function catalogFile(dataDir: string): string {
  return join(dataDir, "catalog.db");
}

/** Throws a DatabaseError that names the repair command unless the file exists and is migrated. */
export function openCatalogDatabase(dataDir: string, mode: AccessMode = "write"): CatalogDatabase {
  return openDatabase("catalog", catalogFile(dataDir), mode);
}
