/** Names the files in DATA_DIR that belong to the bazaar: a command must never write its result over one of them. */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { keptStocksFile } from "./kept-stocks.ts";
import { type Databases, replicasHere } from "./recovery/replicas-here.ts";

/** The databases with what SQLite and the locks keep beside them, and the stocks as they began. */
export function ownFiles(databases: Databases): string[] {
  const { files } = chosenLedgerStore(databases);
  return [...files, ...replicasHere(databases).flatMap((replica) => replica.files), keptStocksFile(databases.dataDir)];
}
