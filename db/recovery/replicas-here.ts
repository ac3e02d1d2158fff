/** The replicas whose files lie on this machine, and where each ends. */

import { readdirSync } from "node:fs";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { type ReplicaEnd, ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import type { Config } from "@stock-bazaar/process/config";
import { SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { fileIdentity } from "@stock-bazaar/sqlite/files";

export type Databases = Pick<Config, "dataDir" | "replicas">;

/**
 * The replicas that the configuration names, and those whose files lie here all the same: one that was left out since may
 * hold orders that no other has. In the order of their ids.
 */
export function replicasHere({ dataDir, replicas }: Databases): ReplicaFile[] {
  const found = namesIn(dataDir)
    .flatMap((name) => /^order-([1-9]\d{0,4})\.db$/.exec(name)?.[1] ?? [])
    .map(Number);
  const ids = [...new Set([...replicas.keys(), ...found])].sort((a, b) => a - b);
  return ids.map((id) => new ReplicaFile(dataDir, id));
}

/** Those that the configuration names, in its order. */
export function replicasNamed({ dataDir, replicas }: Databases): ReplicaFile[] {
  return [...replicas.keys()].map((id) => new ReplicaFile(dataDir, id));
}

/** What is wrong with a folder that can't be read is told by whoever opens a file in it. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Throws a SetupError if two databases here are one file: each would take the other's next row. */
export function requireDifferentFiles(databases: Databases): void {
  for (const [, problem] of sharedFiles(databases)) throw new SetupError(problem);
}

/** What is wrong with each database that is, by a symbolic or a hard link, the same file as one before it. */
export function sharedFiles(databases: Databases): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  const problems = new Map<string, string>();
  // A ledger that is no file has no identity, and is skipped.
  for (const file of [chosenLedgerStore(databases).name, ...replicasHere(databases).map(({ file }) => file)]) {
    const identity = fileIdentity(file);
    if (identity === undefined) continue;
    const other = named.get(identity);
    if (other === undefined) named.set(identity, file);
    else problems.set(file, `${other} and ${file} must be two files (they are links to the same one)`);
  }
  return problems;
}

/** Of the replicas that are there and can be read, in the order of their ids. What is wrong with another its service says. */
export function replicaEnds(databases: Databases): ReplicaEnd[] {
  return readEnds(databases).filter((end): end is ReplicaEnd => !(end instanceof DatabaseError));
}

/** Where each replica's file ends, or why that can't be told, in the order of their ids. */
export function readEnds(databases: Databases): (ReplicaEnd | DatabaseError)[] {
  return replicasHere(databases).map((replica) => replica.end());
}

/** The one that holds the most orders; `undefined`: none can be read. */
export function longestReplica(databases: Databases): ReplicaEnd | undefined {
  return replicaEnds(databases).reduce<ReplicaEnd | undefined>(
    (best, end) => (best && best.lastId >= end.lastId ? best : end),
    undefined,
  );
}
