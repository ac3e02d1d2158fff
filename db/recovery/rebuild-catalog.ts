/**
 * Makes a lost catalog again (I9), from what the stocks began with and the replica that holds the most orders. It can be
 * killed at any point and run again. Nothing is deleted: a catalog that is wrong is put aside under another name.
 */

import { existsSync } from "node:fs";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ReplayError } from "@stock-bazaar/ledger/replay";
import type { Replaced } from "@stock-bazaar/ledger/store";
import type { ReplicaEnd } from "@stock-bazaar/order-log/sqlite/replica-file";
import { SetupError } from "@stock-bazaar/shared/errors";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { advice } from "@stock-bazaar/process/advice";
import { sqliteCode, sqliteFailure } from "@stock-bazaar/sqlite/failures";
import { keepStocks, keptStocksFile } from "../kept-stocks.ts";
import { readStocks, stocksFileFor } from "../seed.ts";
import { adviceForUnreadable, HistoryError, migratePresentReplicas, requireOneHistory } from "./history.ts";
import { whileAllLocked } from "./lock-all.ts";
import { openReplicas } from "./replica-orders.ts";
import { type Databases, longestReplica, readEnds, replicaEnds, replicasHere, replicasNamed } from "./replicas-here.ts";
import { verify } from "./verify.ts";

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
export async function rebuildCatalog(databases: Databases, stocksFile?: string): Promise<RebuiltCatalog> {
  // Whoever names a wrong file wants to know, also when there is nothing to mend.
  if (stocksFile !== undefined) readStocks(stocksFile);
  return whileAllLocked(databases, runs, async () => {
    await migratePresentReplicas(databases);
    requireReadable(databases);
    await requireSomethingToMend(databases);
    return rebuild(databases, stocksFile ?? stocksFileFor(databases.dataDir));
  });
}

/**
 * The same for a catalog that is missing, without anybody watching. Throws a RebuildError if anything runs all the same,
 * and unless nothing can be missed: every replica has its file, one with no order isn't beside one with some (it may have
 * been lost, too), and what the stocks began with was kept.
 */
export async function rebuildCatalogIfSafe(databases: Databases): Promise<RebuiltCatalog> {
  return whileAllLocked(databases, runs, async () => {
    await requireSafe(databases);
    return rebuild(databases, keptStocksFile(databases.dataDir));
  });
}

function runs(database: string): RebuildError {
  return new RebuildError(
    `${database} is held by a service that runs, or by another rebuild: stop everything first, then run this again`,
  );
}

async function requireSafe(databases: Databases): Promise<void> {
  const { name } = chosenLedgerStore(databases);
  const unsafe = (why: string) => new RebuildError(`${name} is missing, and ${why}: ${advice.putBackOrRebuild}`);
  await migratePresentReplicas(databases);
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
  for (const replica of replicasHere(databases)) {
    const problem = replica.problem();
    if (problem && problem.problem !== "missing") throw unreadable(problem);
  }
}

function unreadable(problem: DatabaseError): RebuildError {
  return new RebuildError(`${adviceForUnreadable(problem)}, then run this again`, { cause: problem });
}

async function requireSomethingToMend(databases: Databases): Promise<void> {
  const store = chosenLedgerStore(databases);
  if (await store.isMissing()) return;
  try {
    await requireOneHistory(databases);
  } catch (error) {
    if (error instanceof HistoryError || (error instanceof DatabaseError && isBroken(error))) return;
    throw error;
  }
  const difference = await whatIsWrong(databases);
  if (difference === undefined) {
    throw new RebuildError(`${store.name} is there and right: there is nothing to mend`);
  }
  const headId = await store.read((view) => view.lastId());
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
async function whatIsWrong(databases: Databases): Promise<string | undefined> {
  const { name } = chosenLedgerStore(databases);
  const replicas = new Set(replicaEnds(databases).map(({ file }) => file));
  const checks = await verify(databases);
  const ofCatalog = checks.filter(({ file }) => file === name).flatMap(({ differences }) => differences);
  const ofReplicas = checks.filter(({ file }) => replicas.has(file)).map(({ differences }) => differences[0]);
  return ofCatalog[0] ?? (ofReplicas.every((difference) => difference !== undefined) ? ofReplicas[0] : undefined);
}

async function rebuild(databases: Databases, stocksFile: string): Promise<RebuiltCatalog> {
  const { dataDir } = databases;
  const longest = longestReplica(databases);
  if (!longest) throw new RebuildError(`${dataDir} holds no replica to take the orders from`);
  const { head, aside } = await replaceBy(databases, longest, stocksFile);
  await keepStocks(databases);
  const missing = replicasNamed(databases).flatMap(({ exists, file }) => (exists ? [] : [file]));
  const file = chosenLedgerStore(databases).name;
  return { file, orders: head, replica: longest.file, stocks: stocksFile, aside, missing };
}

async function replaceBy(databases: Databases, longest: ReplicaEnd, stocksFile: string): Promise<Replaced> {
  const replicas = openReplicas(databases, longest);
  try {
    const difference = replicas.difference();
    if (difference !== undefined) {
      throw new RebuildError(`the replicas contradict each other: ${difference}: ${advice.dropWrongReplica}`);
    }
    const stocks = readStocks(stocksFile);
    return await chosenLedgerStore(databases).replaceWith({ stocks, pages: replicas.pages() });
  } catch (error) {
    if (sqliteFailure(error) === "broken") requireUndamaged(databases);
    if (!(error instanceof ReplayError)) throw error;
    throw new RebuildError(
      `${longest.file} and ${stocksFile} don't belong together: ${error.message} ${advice.nameSeededFile}`,
      { cause: error },
    );
  } finally {
    replicas.close();
  }
}
