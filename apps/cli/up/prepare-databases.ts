/**
 * Prepares the databases before `npm start` starts anything, and when the catalog's file is lost while everything runs.
 * Afterwards they are migrated, the catalog has stocks, and all of them have one history.
 */

import { migrateAll } from "@stock-bazaar/db/migrate";
import { replaceDamagedReplicas } from "@stock-bazaar/db/recovery/damaged-replicas";
import { HistoryError, requireNoLostCatalog, requireOneHistory } from "@stock-bazaar/db/recovery/history";
import { rebuildCatalogIfSafe } from "@stock-bazaar/db/recovery/rebuild-catalog";
import { type Databases, replicasNamed } from "@stock-bazaar/db/recovery/replicas-here";
import { countStocks, seed, stocksFileFor } from "@stock-bazaar/db/seed";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { advice } from "@stock-bazaar/process/advice";
import { SetupError } from "@stock-bazaar/shared/errors";

type Log = (figures: object, message: string) => void;

/** Throws a SetupError if the catalog is missing as well as this replica's database. */
export async function requireCatalogBeside(replica: string, databases: Databases): Promise<void> {
  const store = chosenLedgerStore(databases);
  requireOthers(replica, (await store.isMissing()) ? [store.name] : []);
}

/** Throws a SetupError if a replica's database is missing as well as the catalog. */
export function requireReplicasBeside(databases: Databases): void {
  const missing = replicasNamed(databases).filter(({ isMissing }) => isMissing);
  requireOthers(
    chosenLedgerStore(databases).name,
    missing.map(({ file }) => file),
  );
}

/**
 * Throws a SetupError if other databases are missing besides the lost one. While the services run, databases that existed
 * are never recreated from nothing: they would reuse order numbers.
 */
function requireOthers(lost: string, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const also = `${missing.length === 1 ? "is" : "are"} ${missing.join(", ")}`;
  throw new SetupError(`${lost} is missing, and so ${also}: ${advice.putBackAll}`);
}

/** Throws a SetupError with the remedy if only a person can decide what to do. */
export async function prepareDatabases(
  databases: Databases,
  logger: { readonly info: Log; readonly warn: Log },
): Promise<void> {
  if (await isCatalogLost(databases)) {
    const { name, files } = chosenLedgerStore(databases);
    // Logged before as well: ten million orders take minutes. On a server it is never done unattended.
    if (files.length > 0) logger.warn({ file: name }, "the catalog is missing: trying to rebuild it");
    logger.warn(await rebuildCatalogIfSafe(databases), "rebuilt the catalog from a replica's orders");
  }
  await replaceDamagedReplicas(databases, logger);
  for (const { file, migrations } of await migrateAll(databases)) {
    if (migrations > 0) logger.info({ file, migrations }, "migrated");
  }
  await chosenLedgerStore(databases).requireUsable();
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
