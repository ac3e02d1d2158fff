/** Which store keeps the ledger: the configuration says it. SQLite, a file in DATA_DIR, is the only one. */

import type { Config } from "@stock-bazaar/process/config";
import { sqliteLedgerStore } from "./sqlite/sqlite-store.ts";
import type { LedgerStore } from "./store.ts";

/** What the choice depends on. */
export type LedgerConfig = Pick<Config, "dataDir">;

export function chosenLedgerStore({ dataDir }: LedgerConfig): LedgerStore {
  return sqliteLedgerStore(dataDir);
}
