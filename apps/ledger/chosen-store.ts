/** Chooses the ledger's store from the configuration: a database on PostgreSQL, or a SQLite file in DATA_DIR. */

import type { Config } from "@stock-bazaar/process/config";
import { postgresLedgerStore } from "./postgres/postgres-store.ts";
import { sqliteLedgerStore } from "./sqlite/sqlite-store.ts";
import type { LedgerStore } from "./store.ts";

/** The settings that decide the choice. Without a URL the ledger is a file. */
export type LedgerConfig = Pick<Config, "dataDir"> & Partial<Pick<Config, "ledgerUrl" | "ledgerFailover">>;

export function chosenLedgerStore({ dataDir, ledgerUrl, ledgerFailover }: LedgerConfig): LedgerStore {
  if (ledgerUrl === undefined) return sqliteLedgerStore(dataDir);
  return postgresLedgerStore(ledgerUrl, { failover: ledgerFailover });
}
