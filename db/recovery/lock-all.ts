/**
 * Holds the databases of a folder as their services do, for a command that replaces what they own. A catalog that runs,
 * on whatever port, would go on with what it remembers; a replica may still be storing what the catalog has decided.
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { Unlock } from "@stock-bazaar/ledger/store";
import { type Databases, replicasHere, requireDifferentFiles } from "./replicas-here.ts";

/**
 * Runs `action` while it holds them. Throws what `taken` makes of the first database that another process holds, a
 * SetupError if two of them are one file.
 */
export async function whileAllLocked<Result>(
  databases: Databases,
  taken: (database: string) => Error,
  action: () => Promise<Result>,
): Promise<Result> {
  // Of two links to one file, the second would look like one that somebody else holds.
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
