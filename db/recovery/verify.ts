/**
 * Checks the promises I1 to I3 in the files, so it trusts no service; the services may run. Each file is read from one
 * snapshot, and the replicas' snapshots are taken before the catalog's. An order is in the ledger before any replica
 * has it, so a replica of a running system is never ahead.
 */

import { type Check, unread } from "@stock-bazaar/ledger/check";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { advice } from "@stock-bazaar/process/advice";
import { adviceForUnreadable, HistoryError, requireNoLostCatalog } from "./history.ts";
import { type Databases, replicaEnds, replicasHere, sharedFiles } from "./replicas-here.ts";

/**
 * Runs all checks. A file that can't be read gives an `unread` check with the reason. `seen` receives each table's name
 * once its snapshot is taken.
 */
export async function verify(databases: Databases, seen?: (table: string) => void): Promise<Check[]> {
  const shared = sharedFiles(databases);
  const replicas = replicasHere(databases);
  const store = chosenLedgerStore(databases);
  let checks: Check[];
  try {
    await requireNoLostCatalog(databases);
    checks = await store.check(
      replicas.filter(({ file }) => !shared.has(file)),
      seen,
    );
  } catch (error) {
    if (!(error instanceof DatabaseError || error instanceof HistoryError)) throw error;
    return [
      unread("I1", store.name, error.message),
      ...replicas.map((replica) => unread("I3", replica.file, whatOfReplicaAlone(replica))),
    ];
  }
  const notWhole = new Set(
    replicaEnds(databases).flatMap(({ isWhole, isNew, file }) => (isWhole || isNew ? [] : [file])),
  );
  const ofCopies = checks.filter(({ promise }) => promise === "I3");
  return [
    ...checks.filter(({ promise }) => promise !== "I3"),
    ...replicas.flatMap(({ file }) => {
      const problem = shared.get(file);
      if (problem !== undefined) return [noOwnFile(file, problem)];
      return ofCopies.filter((check) => check.file === file).map((check) => withNote(check, notWhole));
    }),
  ];
}

/** The note to a replica that isn't whole. */
export const mayHaveLost =
  "it may not have caught up since a power cut or since it was created: until then it may lack acknowledged orders";

/** A prefix of the ledger is correct, whatever a power cut took from its end. */
function withNote(check: Check, notWhole: ReadonlySet<string>): Check {
  if (!notWhole.has(check.file)) return check;
  return { ...check, note: mayHaveLost };
}

/** A file that two databases share isn't a copy, whatever it holds. */
function noOwnFile(file: string, problem: string): Check {
  return { promise: "I3", file, what: "shared with another database", outcome: "broken", differences: [problem] };
}

/** The message for a replica without a catalog. Its file may hold the only copy of its orders: the advice is cautious. */
function whatOfReplicaAlone(replica: ReplicaFile): string {
  const error = replica.problem();
  if (!error) return `${replica.file} has nothing to be compared with`;
  switch (error.problem) {
    case "damaged":
    case "not-sqlite":
    case "unreadable":
    case "disk-full":
      return `${adviceForUnreadable(error)}, then ${advice.rebuildCatalog}`;
    default:
      return error.message;
  }
}
