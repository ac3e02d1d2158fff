/**
 * Locks all databases of a folder, as their services do, for a command that replaces a database. A running catalog, on
 * any port, would continue with its old state in memory, and a running replica may still be storing orders.
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { Unlock } from "@stock-bazaar/ledger/store";
import { type Databases, replicasHere, requireDifferentFiles } from "./replicas-here.ts";

/**
 * Runs `action` while all databases are locked. Throws the error that `taken` returns for the first database that
 * another process holds, or a SetupError if two databases are the same file.
 */
export async function whileAllLocked<Result>(
  databases: Databases,
  taken: (database: string) => Error,
  action: () => Promise<Result>,
): Promise<Result> {
  // Of two links to one file, the second would seem to be locked by another process.
  requireDifferentFiles(databases);
  const store = chosenLedgerStore(databases);
  const unlocks: (Unlock | (() => void))[] = [];
  try {
    const unlock = await store.lockIfFree();
    if (!unlock) throw taken(store.name);
    unlocks.push(unlock);
    for (const replica of replicasHere(databases)) {
      const unlock = replica.lockIfFree();
      if (!unlock) throw taken(replica.file);
      unlocks.push(unlock);
    }
    return await action();
  } finally {
    for (const unlock of unlocks) await unlock();
  }
}
