/** Chooses the ledger's store from the configuration. SQLite, with a file in DATA_DIR, is the only store. */

import type { Config } from "@stock-bazaar/process/config";
import { sqliteLedgerStore } from "./sqlite/sqlite-store.ts";
import type { LedgerStore } from "./store.ts";

/** The settings that decide the choice. */
export type LedgerConfig = Pick<Config, "dataDir">;

export function chosenLedgerStore({ dataDir }: LedgerConfig): LedgerStore {
  return sqliteLedgerStore(dataDir);
}
