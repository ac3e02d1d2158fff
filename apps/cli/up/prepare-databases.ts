/**
 * What `npm start` does before it starts anything, and again when the catalog's file is lost while everything runs:
 * databases that are migrated, a catalog with stocks, and one history in all of them.
 */

import { migrateAll } from "@stock-bazaar/db/migrate";
import { HistoryError, requireNoLostCatalog, requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { rebuildCatalogIfSafe } from "@stock-bazaar/db/recovery/rebuild-catalog";
import { type Databases, replicasNamed } from "@stock-bazaar/db/recovery/replicas-here";
import { countStocks, seed, stocksFileFor } from "@stock-bazaar/db/seed";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { advice } from "@stock-bazaar/process/advice";
import { SetupError } from "@stock-bazaar/shared/errors";

type Tell = (figures: object, message: string) => void;

/** Throws a SetupError if the catalog is gone as well as this replica. */
export async function requireCatalogBeside(replica: string, databases: Databases): Promise<void> {
  const store = chosenLedgerStore(databases);
  requireOthers(replica, (await store.isMissing()) ? [store.name] : []);
}

/** Throws a SetupError if a replica is gone as well as the catalog. */
export function requireReplicasBeside(databases: Databases): void {
  const gone = replicasNamed(databases).filter(({ isMissing }) => isMissing);
  requireOthers(
    chosenLedgerStore(databases).name,
    gone.map(({ file }) => file),
  );
}

/**
 * For a database that is lost while everything runs: what was there a moment ago is never begun anew, with numbers that
 * orders have already.
 */
function requireOthers(lost: string, gone: readonly string[]): void {
  if (gone.length === 0) return;
  const also = `${gone.length === 1 ? "is" : "are"} ${gone.join(", ")}`;
  throw new SetupError(`${lost} is missing, and so ${also}: ${advice.putBackAll}`);
}

/** Throws a SetupError that says what to run when only a person may go on. */
export async function prepareDatabases(
  databases: Databases,
  logger: { readonly info: Tell; readonly warn: Tell },
): Promise<void> {
  if (await isCatalogLost(databases)) {
    // Ten million orders take minutes.
    logger.warn({ file: chosenLedgerStore(databases).name }, "the catalog is missing: trying to make it again");
    logger.warn(await rebuildCatalogIfSafe(databases), "the catalog was made again from a replica's orders");
  }
  for (const { file, migrations } of await migrateAll(databases)) {
    if (migrations > 0) logger.info({ file, migrations }, "migrated");
  }
  if ((await countStocks(databases)) === 0) {
    logger.info(await seed(databases, stocksFileFor(databases.dataDir)), "seeded the empty catalog");
  }
  await requireOneHistory(databases);
}

async function isCatalogLost(databases: Databases): Promise<boolean> {
  try {
    await requireNoLostCatalog(databases);
    return false;
  } catch (error) {
    if (error instanceof HistoryError) return true;
    throw error;
  }
}
