/**
 * Brings every database up to date: the catalog's and that of each order replica. It can be killed at any point and
 * run again, twice at once, and beside running services.
 */

import { migratePresentReplicas, requireNoLostCatalog, type Databases } from "./recovery/history.ts";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { keepStocks } from "./seed.ts";

export interface MigratedDatabase {
  readonly file: string;
  /** How many were applied now; 0: it was up to date. */
  readonly migrations: number;
}

/**
 * Creates what is missing. Throws a DatabaseError for a file that can't be migrated; those before it are done. Throws a
 * HistoryError instead of making an empty catalog beside replicas that hold orders, or that can't be read: the replicas
 * that are there are migrated then, so that the catalog can be made again from them, and nothing is created.
 */
export function migrateAll(databases: Databases): MigratedDatabase[] {
  const { dataDir, replicas } = databases;
  const present = migratePresentReplicas(databases);
  requireNoLostCatalog(databases);
  const catalog = catalogFile(dataDir);
  return [
    { file: catalog, migrations: migrateCatalog(dataDir) },
    ...[...replicas.keys()]
      .map((id) => orderFile(dataDir, id))
      .map((file) => ({ file, migrations: present.get(file) ?? migrateFile(file, "orders") })),
  ];
}

/** Only this replica's file, whatever else is there or isn't: the catalog may be on another machine. */
export function migrateReplica({ dataDir }: Pick<Databases, "dataDir">, id: number): MigratedDatabase {
  const file = orderFile(dataDir, id);
  return { file, migrations: migrateFile(file, "orders") };
}

function migrateCatalog(dataDir: string): number {
  const migrations = migrateFile(catalogFile(dataDir), "catalog");
  const catalog = openCatalogDatabase(dataDir);
  try {
    keepStocks(catalog);
  } finally {
    catalog.close();
  }
  return migrations;
}
