/** Names the files in DATA_DIR that belong to the bazaar: a command must never write its result over one of them. */

import { type Databases, replicasHere } from "./recovery/history.ts";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { keptStocksFile } from "./seed.ts";

/** The databases with what SQLite and the locks keep beside them, and the stocks as they began. */
export function ownFiles(databases: Databases): string[] {
  const { dataDir } = databases;
  const files = [catalogFile(dataDir), ...replicasHere(databases).map((id) => orderFile(dataDir, id))];
  const beside = files.flatMap((file) => ["", "-wal", "-shm", "-lock"].map((end) => `${file}${end}`));
  return [...beside, keptStocksFile(dataDir)];
}
