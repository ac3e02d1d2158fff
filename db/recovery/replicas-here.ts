/** The replicas that have their files on this machine, and where each ends. */

import { readdirSync } from "node:fs";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { type ReplicaEnd, ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { type Address, isLoopback } from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import { SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { fileIdentity } from "@stock-bazaar/sqlite/files";

export type Databases = Pick<Config, "dataDir" | "replicas"> & LedgerConfig;

/**
 * The configured replicas, and all others whose files are here: a replica that was removed from the configuration may
 * hold orders that no other has. Sorted by id.
 */
export function replicasHere({ dataDir, replicas }: Databases): ReplicaFile[] {
  const found = namesIn(dataDir)
    .flatMap((name) => /^order-([1-9]\d{0,4})\.db$/.exec(name)?.[1] ?? [])
    .map(Number);
  const ids = [...new Set([...replicas.keys(), ...found])].sort((a, b) => a - b);
  return ids.map((id) => new ReplicaFile(dataDir, id));
}

/** The configured replicas, in the order of the configuration. */
export function replicasNamed({ dataDir, replicas }: Databases): ReplicaFile[] {
  return [...replicas.keys()].map((id) => new ReplicaFile(dataDir, id));
}

/**
 * Whether this machine knows a replica that holds no order here as one that holds none at all: a service has used its file
 * here, or it would run on this machine and its file is the new one that is here.
 */
export function isKnownHere(replica: ReplicaFile, address: Address): boolean {
  const end = replica.end();
  return !(end instanceof DatabaseError) && (!end.isNew || isLoopback(address));
}

/** Empty if the folder can't be read: the error appears when a file in it is opened. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Throws a SetupError if two databases here are the same file: each would take the other's next row. */
export function requireDifferentFiles(databases: Databases): void {
  for (const [, problem] of sharedFiles(databases)) throw new SetupError(problem);
}

/** A message for each database that is the same file as an earlier one, by a symbolic or a hard link. */
export function sharedFiles(databases: Databases): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  const problems = new Map<string, string>();
  // A ledger on a server has no file identity and is skipped.
  for (const file of [chosenLedgerStore(databases).name, ...replicasHere(databases).map(({ file }) => file)]) {
    const identity = fileIdentity(file);
    if (identity === undefined) continue;
    const other = named.get(identity);
    if (other === undefined) named.set(identity, file);
    else problems.set(file, `${other} and ${file} must be two files (they are links to the same one)`);
  }
  return problems;
}

/** The ends of all readable replicas, sorted by id. Errors are left out: each replica's service reports its own. */
export function replicaEnds(databases: Databases): ReplicaEnd[] {
  return readEnds(databases).filter((end): end is ReplicaEnd => !(end instanceof DatabaseError));
}

/** The end of each replica's file, or the error of reading it, sorted by id. */
export function readEnds(databases: Databases): (ReplicaEnd | DatabaseError)[] {
  return replicasHere(databases).map((replica) => replica.end());
}

/** The files of the replicas that may lack orders which they have acknowledged. Unreadable ones are left out. */
export function filesNotWhole(databases: Databases): string[] {
  return replicaEnds(databases).flatMap(({ isWhole, file }) => (isWhole ? [] : [file]));
}

/** The replica with the most orders; `undefined` if none can be read. */
export function longestReplica(databases: Databases): ReplicaEnd | undefined {
  return replicaEnds(databases).reduce<ReplicaEnd | undefined>(
    (best, end) => (best && best.lastId >= end.lastId ? best : end),
    undefined,
  );
}
