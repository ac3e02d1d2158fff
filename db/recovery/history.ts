/**
 * Do the catalog and the replicas on this machine belong together? Every replica must hold a prefix of the ledger (I3).
 * A catalog that is missing, ends before a replica, or holds another order where a replica ends, would give numbers
 * that are in use to new orders: nobody may start on it. Replicas elsewhere can't be seen from here; the catalog
 * refuses them when they ask to lead (R1).
 */

import { existsSync, readdirSync, statSync } from "node:fs";
import type { Config } from "@stock-bazaar/process/config";
import { isSameOrder, type Order } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";
import { explained, explaining } from "@stock-bazaar/sqlite/connection";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { fileIdentity } from "@stock-bazaar/sqlite/files";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { advice } from "@stock-bazaar/process/advice";
import { lastOrderId } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";

export type Databases = Pick<Config, "dataDir" | "replicas">;

export type HistoryProblem = "lost" | "behind" | "diverged";

/** The catalog isn't the one that the replicas copied. The message names the files and the command that mends it. */
export class HistoryError extends SetupError {
  readonly problem: HistoryProblem;

  constructor(problem: HistoryProblem, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HistoryError";
    this.problem = problem;
  }
}

/** Where a replica's file ends. */
export interface ReplicaEnd {
  readonly id: number;
  readonly file: string;
  /** Its last order; `undefined`: it is empty. */
  readonly last: Order | undefined;
  /** 0 for an empty one. */
  readonly lastId: number;
}

export function isCatalogMissing(dataDir: string): boolean {
  return isMissing(catalogFile(dataDir));
}

/** An empty file is what a migration leaves that was killed at once, or `sqlite3` when it is asked of a file that is gone. */
export function isMissing(database: string): boolean {
  return !existsSync(database) || statSync(database).size === 0;
}

/**
 * The replicas that the configuration names, and those whose files lie here all the same: one that was left out since may
 * hold orders that no other has. In the order of their ids.
 */
export function replicasHere({ dataDir, replicas }: Databases): number[] {
  const found = namesIn(dataDir)
    .flatMap((name) => /^order-([1-9]\d{0,4})\.db$/.exec(name)?.[1] ?? [])
    .map(Number);
  return [...new Set([...replicas.keys(), ...found])].sort((a, b) => a - b);
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
  const { dataDir } = databases;
  const named = new Map<string, string>();
  const problems = new Map<string, string>();
  for (const file of [catalogFile(dataDir), ...replicasHere(databases).map((id) => orderFile(dataDir, id))]) {
    const identity = fileIdentity(file);
    if (identity === undefined) continue;
    const other = named.get(identity);
    if (other === undefined) named.set(identity, file);
    else problems.set(file, `${other} and ${file} must be two files (they are links to the same one)`);
  }
  return problems;
}

/**
 * Migrates the replicas that are there and makes none: a new one would look as if it had never held an order. Throws a
 * DatabaseError for a file that can't be migrated, a HistoryError if its orders may be all that is left of them.
 */
export function migratePresentReplicas(databases: Databases): Map<string, number> {
  requireDifferentFiles(databases);
  const { dataDir } = databases;
  const present = replicasHere(databases)
    .map((id) => orderFile(dataDir, id))
    .filter((file) => existsSync(file));
  try {
    return new Map(present.map((file) => [file, migrateFile(file, "orders")]));
  } catch (error) {
    const isBroken = error instanceof DatabaseError && (error.problem === "damaged" || error.problem === "not-sqlite");
    if (!isBroken || !isCatalogMissing(dataDir)) throw error;
    // Not what is said otherwise: moved away and made anew, it would have nobody to fetch its orders from.
    throw lostBeside(dataDir, error);
  }
}

/** Of the replicas that are there and can be read, in the order of their ids. What is wrong with another its service says. */
export function replicaEnds(databases: Databases): ReplicaEnd[] {
  return readEnds(databases).filter((end): end is ReplicaEnd => !(end instanceof DatabaseError));
}

/** Where each replica's file ends, or why that can't be told, in the order of their ids. */
export function readEnds(databases: Databases): (ReplicaEnd | DatabaseError)[] {
  return replicasHere(databases).map((id) => readEnd(databases.dataDir, id));
}

function readEnd(dataDir: string, id: number): ReplicaEnd | DatabaseError {
  const file = orderFile(dataDir, id);
  try {
    const replica = openOrderDatabase(dataDir, id, "read");
    try {
      const last = replica.client
        .prepare<[], Order>(`SELECT ${orderFields} FROM orders ORDER BY id DESC LIMIT 1`)
        .get();
      return { id, file, last, lastId: last?.id ?? 0 };
    } finally {
      replica.close();
    }
  } catch (error) {
    if (error instanceof DatabaseError || sqliteFailure(error) !== "other") return explained(file, "orders", error);
    throw error;
  }
}

/** What to do about a replica's file that can't be read while there is no catalog to fill it from. */
export function adviceForUnreadable({ file, cause }: DatabaseError): string {
  const reason = cause instanceof Error ? ` (${cause.message})` : "";
  return `${file} can't be read${reason}, and may hold orders that no other replica has: ${advice.putSoundCopyBack}`;
}

function lostBeside(dataDir: string, replica: DatabaseError): HistoryError {
  const text = `${catalogFile(dataDir)} is missing, and ${adviceForUnreadable(replica)}`;
  return new HistoryError("lost", text, { cause: replica });
}

/** Throws a HistoryError if there is no catalog where a replica holds orders, or may: nobody can read its file. */
export function requireNoLostCatalog(databases: Databases): void {
  if (!isCatalogMissing(databases.dataDir)) return;
  const ends = readEnds(databases);
  for (const end of ends) {
    if (end instanceof DatabaseError || end.lastId === 0) continue;
    const text = `${catalogFile(databases.dataDir)} is missing, but ${end.file} holds ${end.lastId} orders: ${advice.rebuildCatalog}`;
    throw new HistoryError("lost", text);
  }
  for (const end of ends) {
    if (!(end instanceof DatabaseError) || isMissing(end.file)) continue;
    throw lostBeside(databases.dataDir, end);
  }
}

/** Throws a HistoryError unless every replica that is here ends with an order of the ledger. */
export function requireOneHistory(databases: Databases): void {
  requireDifferentFiles(databases);
  requireNoLostCatalog(databases);
  // Read before the ledger: beside running services a replica can only be behind it.
  const ends = replicaEnds(databases);
  const catalog = openCatalogDatabase(databases.dataDir, "read");
  const name = catalogFile(databases.dataDir);
  // A page that is damaged is only found by reading it.
  const read = <Result>(action: () => Result) => explaining(name, catalog.kind, action);
  try {
    const orderOf = catalog.client.prepare<[number], Order>(`SELECT ${orderFields} FROM ledger WHERE id = ?`);
    const headId = read(() => lastOrderId(catalog.client, "ledger"));
    for (const { file, last, lastId } of ends) {
      if (
        last === undefined ||
        isSameOrder(
          read(() => orderOf.get(lastId)),
          last,
        )
      )
        continue;
      if (lastId > headId) {
        const text = `${name} ends at order ${headId}, but ${file} goes on to order ${lastId}: ${advice.rebuildWhenStopped}`;
        throw new HistoryError("behind", text);
      }
      const text = `${name} and ${file} hold different orders with the number ${lastId}, ${advice.chooseHistory}`;
      throw new HistoryError("diverged", text);
    }
  } finally {
    catalog.close();
  }
}
