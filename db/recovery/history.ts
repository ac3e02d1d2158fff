/**
 * Checks that the catalog and the replicas on this machine belong together: every replica must hold a prefix of the
 * ledger (I3). A catalog that is missing, ends before a replica, or holds another order where a replica ends would give
 * new orders numbers that are already in use, so no service may start on it. Replicas on other machines aren't checked
 * here: a catalog asks them before a new ledger begins, and refuses them when they ask to lead (R1).
 */

import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { isSameOrder } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { advice } from "@stock-bazaar/process/advice";
import { isMissing } from "@stock-bazaar/sqlite/files";
import { requireNoBegunRestore } from "./begun-restore.ts";
import { type Databases, readEnds, replicaEnds, replicasHere, requireDifferentFiles } from "./replicas-here.ts";

export type HistoryProblem = "lost" | "behind" | "diverged";

/** The catalog isn't the one that the replicas copied. The message names the files and the repair command. */
export class HistoryError extends SetupError {
  readonly problem: HistoryProblem;

  constructor(problem: HistoryProblem, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HistoryError";
    this.problem = problem;
  }
}

/**
 * Migrates the existing replicas and creates none: a new one would look as if it had never held an order. Returns the
 * number of applied migrations for each file. Throws a DatabaseError for a file that can't be migrated, or a
 * HistoryError if that file may hold the only copy of its orders.
 */
export async function migratePresentReplicas(databases: Databases): Promise<Map<string, number>> {
  requireNoBegunRestore(databases.dataDir);
  requireDifferentFiles(databases);
  const migrated = new Map<string, number>();
  try {
    for (const replica of replicasHere(databases)) {
      if (replica.exists) migrated.set(replica.file, await replica.migrate());
    }
    return migrated;
  } catch (error) {
    const isBroken = error instanceof DatabaseError && (error.problem === "damaged" || error.problem === "not-sqlite");
    if (!isBroken || !(await chosenLedgerStore(databases).isMissing())) throw error;
    // The usual advice would be wrong here: a new replica has no catalog to fetch its orders from.
    throw lostBeside(databases, error);
  }
}

/** Advice for an unreadable replica file while there is no catalog to refill it from. */
export function adviceForUnreadable({ file, cause }: DatabaseError): string {
  const reason = cause instanceof Error ? ` (${cause.message})` : "";
  return `${file} can't be read${reason}, and may hold orders that no other replica has: ${advice.putSoundCopyBack}`;
}

function lostBeside(databases: Databases, replica: DatabaseError): HistoryError {
  const text = `${chosenLedgerStore(databases).name} is missing, and ${adviceForUnreadable(replica)}`;
  return new HistoryError("lost", text, { cause: replica });
}

/**
 * Throws a HistoryError if the catalog is missing and a replica holds orders, may have lost some, or can't be read. Throws a
 * SetupError if a restore was interrupted.
 */
export async function requireNoLostCatalog(databases: Databases): Promise<void> {
  requireNoBegunRestore(databases.dataDir);
  const store = chosenLedgerStore(databases);
  if (!(await store.isMissing())) return;
  const ends = readEnds(databases);
  for (const end of ends) {
    if (end instanceof DatabaseError) continue;
    const mayHaveLost = !end.isWhole && !end.isNew;
    if (end.lastId === 0 && !mayHaveLost) continue;
    const what = end.lastId > 0 ? `holds ${end.lastId} orders` : "may have lost its orders";
    const text = `${store.name} is missing, but ${end.file} ${what}: ${advice.rebuildCatalog}`;
    throw new HistoryError("lost", text);
  }
  for (const end of ends) {
    if (!(end instanceof DatabaseError) || isMissing(end.file)) continue;
    throw lostBeside(databases, end);
  }
}

/** Throws a HistoryError unless every replica here ends with an order of the ledger. */
export async function requireOneHistory(databases: Databases): Promise<void> {
  requireDifferentFiles(databases);
  await requireNoLostCatalog(databases);
  // Replicas are read before the ledger: even while services run, they can then only be behind it.
  const ends = replicaEnds(databases);
  const store = chosenLedgerStore(databases);
  await store.read(async (view) => {
    const headId = await view.lastId();
    for (const { file, last, lastId } of ends) {
      if (last === undefined || isSameOrder(await view.order(lastId), last)) continue;
      if (lastId > headId) {
        const [end, next] =
          headId === 0 ? ["is empty", advice.findLedger] : [`ends at order ${headId}`, advice.findWholeLedger];
        throw new HistoryError("behind", `${store.name} ${end}, but ${file} goes on to order ${lastId}: ${next}`);
      }
      const text = `${store.name} and ${file} hold different orders with the number ${lastId}, ${advice.chooseHistory}`;
      throw new HistoryError("diverged", text);
    }
  });
}
