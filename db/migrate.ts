/**
 * Brings every database up to date: the catalog's and that of each order replica. It can be killed at any point and
 * run again, twice at once, and beside running services.
 */

import type { Config } from "@stock-bazaar/shared/config";
import { catalogFile, migrateFile, orderFile } from "./open.ts";

export interface MigratedDatabase {
  readonly file: string;
  /** How many were applied now; 0: it was up to date. */
  readonly migrations: number;
}

/** Creates what is missing. Throws a DatabaseError for a file that can't be migrated; those before it are done. */
export function migrateAll(config: Pick<Config, "dataDir" | "replicas">): MigratedDatabase[] {
  const catalog = catalogFile(config.dataDir);
  const orders = [...config.replicas.keys()].map((id) => orderFile(config.dataDir, id));
  return [
    { file: catalog, migrations: migrateFile(catalog, "catalog") },
    ...orders.map((file) => ({ file, migrations: migrateFile(file, "orders") })),
  ];
}
