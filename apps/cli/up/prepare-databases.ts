/**
 * What `npm start` does before it starts anything, and again when the catalog's file is lost while everything runs:
 * databases that are migrated, a catalog with stocks, and one history in all of them.
 */

import {
  type Databases,
  HistoryError,
  isMissing,
  requireNoLostCatalog,
  requireOneHistory,
} from "@stock-bazaar/db/recovery/history";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { rebuildCatalogIfSafe } from "@stock-bazaar/db/recovery/rebuild-catalog";
import { countStocks, seed, stocksFileFor } from "@stock-bazaar/db/seed";
import { advice } from "@stock-bazaar/process/advice";
import { SetupError } from "@stock-bazaar/shared/errors";

type Tell = (figures: object, message: string) => void;

/**
 * For a database that is lost while everything runs. Throws a SetupError if `others` are gone as well: what was there a
 * moment ago is never begun anew, with numbers that orders have already.
 */
export function requireOthers(lost: string, others: readonly string[]): void {
  const gone = others.filter(isMissing);
  if (gone.length === 0) return;
  const also = `${gone.length === 1 ? "is" : "are"} ${gone.join(", ")}`;
  throw new SetupError(`${lost} is missing, and so ${also}: ${advice.putBackAll}`);
}

/** Throws a SetupError that says what to run when only a person may go on. */
export function prepareDatabases(databases: Databases, logger: { readonly info: Tell; readonly warn: Tell }): void {
  if (isCatalogLost(databases)) {
    // Ten million orders take minutes.
    logger.warn({ file: catalogFile(databases.dataDir) }, "the catalog is missing: trying to make it again");
    logger.warn(rebuildCatalogIfSafe(databases), "the catalog was made again from a replica's orders");
  }
  for (const { file, migrations } of migrateAll(databases)) {
    if (migrations > 0) logger.info({ file, migrations }, "migrated");
  }
  const catalog = openCatalogDatabase(databases.dataDir);
  try {
    if (countStocks(catalog) === 0) {
      logger.info(seed(catalog, stocksFileFor(databases.dataDir)), "seeded the empty catalog");
    }
  } finally {
    catalog.close();
  }
  requireOneHistory(databases);
}

function isCatalogLost(databases: Databases): boolean {
  try {
    requireNoLostCatalog(databases);
    return false;
  } catch (error) {
    if (error instanceof HistoryError) return true;
    throw error;
  }
}
