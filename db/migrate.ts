/**
 * Brings every database up to date: the catalog's and that of each order replica. It can be killed at any point and
 * run again, twice at once, and beside running services.
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { keepStocks } from "./kept-stocks.ts";
import { migratePresentReplicas, requireNoLostCatalog } from "./recovery/history.ts";
import { type Databases, replicasNamed } from "./recovery/replicas-here.ts";

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

/** Only this replica's file, whatever else is there or isn't: the catalog may be on another machine. */
export async function migrateReplica({ dataDir }: Pick<Databases, "dataDir">, id: number): Promise<MigratedDatabase> {
  const replica = new ReplicaFile(dataDir, id);
  return { file: replica.file, migrations: await replica.migrate() };
}
