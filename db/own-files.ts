/** Lists the bazaar's own files in DATA_DIR: a command must never write its result over one of them. */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { keptStocksFile } from "./kept-stocks.ts";
import { type Databases, replicasHere } from "./recovery/replicas-here.ts";

/** The databases, the files that SQLite and the locks keep beside them, and the copy of the initial stocks. */
export function ownFiles(databases: Databases): string[] {
  const { files } = chosenLedgerStore(databases);
  return [...files, ...replicasHere(databases).flatMap((replica) => replica.files), keptStocksFile(databases.dataDir)];
}
