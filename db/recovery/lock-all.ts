/**
 * Holds the databases of a folder as their services do, for a command that replaces what they own. A catalog that runs,
 * on whatever port, would go on with what it remembers; a replica may still be storing what the catalog has decided.
 */

import { type Databases, replicasHere, requireDifferentFiles } from "./history.ts";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { lockIfFree } from "@stock-bazaar/sqlite/service-lock";

/**
 * Returns what gives the locks back. Throws what `taken` makes of the first file that another process holds, a SetupError
 * if two of them are one file.
 */
export function lockAll(databases: Databases, taken: (file: string) => Error): () => void {
  // Of two links to one file, the second would look like one that somebody else holds.
  requireDifferentFiles(databases);
  const { dataDir } = databases;
  const files = [catalogFile(dataDir), ...replicasHere(databases).map((id) => orderFile(dataDir, id))];
  const unlocks: (() => void)[] = [];
  const unlockAll = () => {
    for (const unlock of unlocks) unlock();
  };
  try {
    for (const file of files) {
      const unlock = lockIfFree(file);
      if (!unlock) throw taken(file);
      unlocks.push(unlock);
    }
    return unlockAll;
  } catch (error) {
    unlockAll();
    throw error;
  }
}
