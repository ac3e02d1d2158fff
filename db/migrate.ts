/**
 * Migrates every database: the catalog's and each order replica's. A migration can be killed at any point and run
 * again. It may also run concurrently with another one and beside running services.
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { keepStocks } from "./kept-stocks.ts";
import { requireNoBegunRestore } from "./recovery/begun-restore.ts";
import { migratePresentReplicas, requireNoLostCatalog } from "./recovery/history.ts";
import { type Databases, replicasNamed } from "./recovery/replicas-here.ts";

export interface MigratedDatabase {
  readonly file: string;
  /** How many migrations were applied now; 0 if the database was up to date. */
  readonly migrations: number;
}

/**
 * Migrates all databases, and creates those that are missing. Throws a DatabaseError for a file that can't be migrated;
 * those before it are migrated by then. Throws a HistoryError instead of creating an empty catalog beside replicas that
 * hold orders or can't be read. Then it has migrated the existing replicas, so the catalog can be rebuilt from them,
 * and created nothing.
 */
export async function migrateAll(databases: Databases): Promise<MigratedDatabase[]> {
  const present = await migratePresentReplicas(databases);
  await requireNoLostCatalog(databases);
  const store = chosenLedgerStore(databases);
  const migrated = [{ file: store.name, migrations: await store.migrate() }];
  await keepStocks(databases);
  for (const replica of replicasNamed(databases)) {
    migrated.push({ file: replica.file, migrations: present.get(replica.file) ?? (await replica.migrate()) });
  }
  return migrated;
}

/** Migrates only this replica's file and requires no other: the catalog may be on another machine. */
export async function migrateReplica({ dataDir }: Pick<Databases, "dataDir">, id: number): Promise<MigratedDatabase> {
  requireNoBegunRestore(dataDir);
  const replica = new ReplicaFile(dataDir, id);
  return { file: replica.file, migrations: await replica.migrate() };
}
