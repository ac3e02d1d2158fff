/**
 * Makes a lost catalog.db again (I9), from what the stocks began with and the replica that holds the most orders.
 *
 * It is built in a folder of its own and gets its name when it is whole and on the disk, so it can be killed at any
 * point and run again. Nothing is deleted: a catalog that is wrong is put aside under another name.
 */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Order } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { lockAll } from "./lock-all.ts";
import { putInPlace, syncToDisk } from "@stock-bazaar/sqlite/files";
import {
  adviceForUnreadable,
  type Databases,
  HistoryError,
  isCatalogMissing,
  migratePresentReplicas,
  readEnds,
  type ReplicaEnd,
  replicaEnds,
  replicasHere,
  requireOneHistory,
} from "./history.ts";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { advice } from "@stock-bazaar/process/advice";
import { attachReplica, lastOrderId, type OrderTable, prefixDifferences } from "@stock-bazaar/sqlite/order-differences";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import { replicaProblem } from "./readable.ts";
import { type Replayed, ReplayError, replayOrders, type Used } from "./replay-orders.ts";
import { keepStocks, keptStocksFile, readStocks, seed, stocksFileFor } from "../seed.ts";
import { sqliteCode, sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { verify } from "./verify.ts";

const workshopPrefix = "rebuilding-catalog-";

export interface RebuiltCatalog {
  readonly file: string;
  readonly orders: number;
  /** The replica's file that the orders came from. */
  readonly replica: string;
  /** The file of stocks that it began with. */
  readonly stocks: string;
  /** The name that the catalog has which was there before. */
  readonly aside: string | undefined;
  /** The files of replicas that aren't there: what they held is not in it. */
  readonly missing: readonly string[];
}

/** Nothing was changed. The message says what to do. */
export class RebuildError extends SetupError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RebuildError";
  }
}

/**
 * Neither the catalog nor its replicas may be running. `stocksFile` is what it was seeded with, by default the file that
 * `seed` keeps beside it, else the default stocks.
 *
 * Throws a StockFileError if that can't be read; a RebuildError if one of them runs, if there is nothing to mend, no
 * replica to take the orders from or one that can't be read, if the replicas contradict each other, or the stocks the
 * orders.
 */
export function rebuildCatalog(databases: Databases, stocksFile?: string): RebuiltCatalog {
  // Whoever names a wrong file wants to know, also when there is nothing to mend.
  if (stocksFile !== undefined) readStocks(stocksFile);
  return inPlaceOfTheCatalog(databases, () => {
    migratePresentReplicas(databases);
    requireReadable(databases);
    requireSomethingToMend(databases);
    return rebuild(databases, stocksFile ?? stocksFileFor(databases.dataDir));
  });
}

/**
 * The same for a catalog that is missing, without anybody watching. Throws a RebuildError if anything runs all the same,
 * and unless nothing can be missed: every replica has its file, one with no order isn't beside one with some (it may have
 * been lost, too), and what the stocks began with was kept.
 */
export function rebuildCatalogIfSafe(databases: Databases): RebuiltCatalog {
  return inPlaceOfTheCatalog(databases, () => {
    requireSafe(databases);
    return rebuild(databases, keptStocksFile(databases.dataDir));
  });
}

/** Holds the locks of all databases meanwhile. */
function inPlaceOfTheCatalog<Result>(databases: Databases, action: () => Result): Result {
  const unlock = lockAll(
    databases,
    (file) =>
      new RebuildError(
        `${file} is held by a service that runs, or by another rebuild: stop everything first, then run this again`,
      ),
  );
  try {
    return action();
  } finally {
    unlock();
  }
}

function requireSafe(databases: Databases): void {
  const catalog = catalogFile(databases.dataDir);
  const unsafe = (why: string) => new RebuildError(`${catalog} is missing, and ${why}: ${advice.putBackOrRebuild}`);
  migratePresentReplicas(databases);
  const ends = readEnds(databases);
  const hasOrders = (end: ReplicaEnd | DatabaseError) => !(end instanceof DatabaseError) && end.lastId > 0;
  for (const end of ends) {
    if (end instanceof DatabaseError)
      throw unsafe(end.problem === "missing" ? `so is ${end.file}` : `${end.file} can't be read`);
    if (!hasOrders(end) && ends.some(hasOrders)) throw unsafe(`${end.file} is empty, as if it were new`);
  }
  const kept = keptStocksFile(databases.dataDir);
  if (!existsSync(kept)) throw unsafe(`so is ${kept}, which tells what the stocks began with`);
}

/** A file that can't be read may hold orders that no other has: whether to go on without it is for a person to say. */
function requireReadable(databases: Databases): void {
  for (const end of readEnds(databases)) {
    if (end instanceof DatabaseError && end.problem !== "missing") throw unreadable(end);
  }
}

/** The same for pages that nobody reads before the orders are compared. */
function requireUndamaged(databases: Databases): void {
  for (const id of replicasHere(databases)) {
    const problem = replicaProblem(databases.dataDir, id);
    if (problem && problem.problem !== "missing") throw unreadable(problem);
  }
}

function unreadable(problem: DatabaseError): RebuildError {
  return new RebuildError(`${adviceForUnreadable(problem)}, then run this again`, { cause: problem });
}

function requireSomethingToMend(databases: Databases): void {
  const catalog = catalogFile(databases.dataDir);
  if (isCatalogMissing(databases.dataDir)) return;
  try {
    requireOneHistory(databases);
  } catch (error) {
    if (error instanceof HistoryError || (error instanceof DatabaseError && isBroken(error))) return;
    throw error;
  }
  const difference = whatIsWrong(databases);
  if (difference === undefined) {
    throw new RebuildError(`${catalog} is there and right: there is nothing to mend`);
  }
  const headId = ledgerEnd(databases.dataDir);
  const lastId = Math.max(0, ...replicaEnds(databases).map((end) => end.lastId));
  if (headId <= lastId) return;
  // The ledger is the only copy of these: perhaps they were acknowledged with replicas that are elsewhere.
  throw new RebuildError(
    `${difference}. But only the ledger has the orders from ${lastId + 1} to ${headId}: start everything until a replica has them, then stop and run this again`,
  );
}

/** Not one that this user may not open: it may well be right. */
function isBroken({ problem, cause }: DatabaseError): boolean {
  return problem === "not-sqlite" || problem === "damaged" || sqliteCode(cause).startsWith("SQLITE_IOERR");
}

/** If the catalog contradicts itself, or every replica. One replica that differs is wrong itself. */
function whatIsWrong(databases: Databases): string | undefined {
  const catalog = catalogFile(databases.dataDir);
  const replicas = new Set(replicaEnds(databases).map(({ file }) => file));
  const checks = verify(databases);
  const ofCatalog = checks.filter(({ file }) => file === catalog).flatMap(({ differences }) => differences);
  const ofReplicas = checks.filter(({ file }) => replicas.has(file)).map(({ differences }) => differences[0]);
  return ofCatalog[0] ?? (ofReplicas.every((difference) => difference !== undefined) ? ofReplicas[0] : undefined);
}

function ledgerEnd(dataDir: string): number {
  const catalog = openCatalogDatabase(dataDir, "read");
  try {
    return lastOrderId(catalog.client, "ledger");
  } finally {
    catalog.close();
  }
}

function rebuild(databases: Databases, stocksFile: string): RebuiltCatalog {
  const { dataDir } = databases;
  const file = catalogFile(dataDir);
  const longest = replicaEnds(databases).reduce<ReplicaEnd | undefined>(
    (best, end) => (best && best.lastId >= end.lastId ? best : end),
    undefined,
  );
  if (!longest) throw new RebuildError(`${dataDir} holds no replica to take the orders from`);

  for (const left of readdirSync(dataDir).filter((name) => name.startsWith(workshopPrefix))) {
    rmSync(join(dataDir, left), { recursive: true });
  }
  const workshop = mkdtempSync(join(dataDir, workshopPrefix));
  try {
    const { head } = build(workshop, databases, longest, stocksFile);
    syncToDisk(catalogFile(workshop));
    const aside = putInPlace(catalogFile(workshop), file);
    const catalog = openCatalogDatabase(dataDir);
    keepStocks(catalog);
    catalog.close();
    const missing = [...databases.replicas.keys()]
      .map((id) => orderFile(dataDir, id))
      .filter((name) => !existsSync(name));
    return { file, orders: head, replica: longest.file, stocks: stocksFile, aside, missing };
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

function build(workshop: string, databases: Databases, longest: ReplicaEnd, stocksFile: string): Replayed {
  migrateFile(catalogFile(workshop), "catalog");
  const catalog = openCatalogDatabase(workshop);
  const replica = openOrderDatabase(databases.dataDir, longest.id, "read");
  try {
    const main: OrderTable = { file: longest.file, table: "main.orders" };
    const others = replicaEnds(databases)
      .filter(({ id }) => id !== longest.id)
      .map(({ id, file }) => attachReplica(replica.client, id, file));
    replica.client.exec("BEGIN");
    for (const { table } of [...others, main]) replica.client.prepare(`SELECT 1 FROM ${table} LIMIT 1`).get();
    for (const other of others) {
      const [difference] = prefixDifferences(replica.client, other, main);
      if (difference !== undefined) {
        throw new RebuildError(`the replicas contradict each other: ${difference}: ${advice.dropWrongReplica}`);
      }
    }
    seed(catalog, stocksFile);
    return withoutJournal(catalog, () =>
      replayOrders(
        catalog,
        replica.client.prepare<[], Order>(`SELECT ${orderFields} FROM main.orders ORDER BY id`).iterate(),
        usedBefore(databases),
      ),
    );
  } catch (error) {
    if (sqliteFailure(error) === "broken") requireUndamaged(databases);
    if (!(error instanceof ReplayError)) throw error;
    throw new RebuildError(
      `${longest.file} and ${stocksFile} don't belong together: ${error.message} ${advice.nameSeededFile}`,
      { cause: error },
    );
  } finally {
    replica.close();
    catalog.close();
  }
}

/** Nobody else sees the file, and a failure throws it away: to write everything twice would only take time and disk. */
function withoutJournal<Result>({ client }: CatalogDatabase, action: () => Result): Result {
  client.pragma("journal_mode = OFF");
  client.pragma("synchronous = OFF");
  const result = action();
  client.pragma("journal_mode = WAL");
  return result;
}

/** By the catalog that is to be put aside, if it can still be read. */
function usedBefore({ dataDir }: Databases): Used {
  const unknown = { term: 0, leaseMs: 0 };
  try {
    const catalog = openCatalogDatabase(dataDir, "read");
    const register = catalog.client.prepare<[], Used>("SELECT term, lease_ms AS leaseMs FROM register").get();
    catalog.close();
    return register ?? unknown;
  } catch {
    return unknown;
  }
}
