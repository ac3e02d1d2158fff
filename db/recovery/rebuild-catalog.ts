/**
 * Rebuilds a lost catalog (I9) from the initial stocks and the longest replica. A rebuild can be killed at any point
 * and run again. It deletes nothing: a wrong catalog is moved aside under another name.
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
import {
  type Databases,
  filesNotWhole,
  longestReplica,
  readEnds,
  replicaEnds,
  replicasHere,
  replicasNamed,
} from "./replicas-here.ts";
import { verify } from "./verify.ts";

export interface RebuiltCatalog {
  readonly file: string;
  readonly orders: number;
  /** The file of the replica that the orders come from. */
  readonly replica: string;
  /** The file of the initial stocks. */
  readonly stocks: string;
  /** The new name of the previous catalog; `undefined` if there was none. */
  readonly aside: string | undefined;
  /** Missing files of replicas: orders that only they held are not in the rebuilt catalog. */
  readonly missing: readonly string[];
  /** Files of replicas that may lack their last orders, for example after a power cut: these orders may be lost. */
  readonly notWhole: readonly string[];
}

/** A rebuild was refused and nothing was changed. The message contains what to do. */
export class RebuildError extends SetupError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RebuildError";
  }
}

/**
 * Rebuilds the catalog; neither it nor a replica may run. `stocksFile` holds the initial stocks: by default the copy
 * that `seed` keeps beside the catalog, else the default stocks.
 *
 * Throws a StockFileError if that file can't be read. Throws a RebuildError if a service runs, if the catalog is sound,
 * if there is no replica or one that can't be read, if the replicas contradict each other, or if the orders don't
 * follow from the stocks.
 */
export async function rebuildCatalog(databases: Databases, stocksFile?: string): Promise<RebuiltCatalog> {
  // Reports a wrong file even if there is nothing to mend.
  if (stocksFile !== undefined) readStocks(stocksFile);
  return whileAllLocked(databases, alreadyLocked, async () => {
    await migratePresentReplicas(databases);
    requireReadable(databases);
    await requireSomethingToMend(databases);
    return rebuild(databases, stocksFile ?? stocksFileFor(databases.dataDir));
  });
}

/**
 * Rebuilds a missing catalog unattended, as a supervisor does, if no order can be lost by it. Throws a RebuildError if
 * a service runs, if a replica's file is missing or can't be read, if one may lack orders that it has acknowledged
 * (after a power cut, or because it is new in place of a lost one), or if the copy of the initial stocks is missing.
 */
export async function rebuildCatalogIfSafe(databases: Databases): Promise<RebuiltCatalog> {
  return whileAllLocked(databases, alreadyLocked, async () => {
    await requireSafe(databases);
    return rebuild(databases, keptStocksFile(databases.dataDir));
  });
}

export function alreadyLocked(database: string): RebuildError {
  return new RebuildError(
    `${database} is held by a running service, or by another rebuild: stop everything first, then run this again`,
  );
}

async function requireSafe(databases: Databases): Promise<void> {
  const { name, files } = chosenLedgerStore(databases);
  const unsafe = (why: string, next: string = advice.putBackOrRebuild) =>
    new RebuildError(`${name} is missing, and ${why}: ${next}`);
  // On a server: a wrong LEDGER_URL looks the same, and would begin a second history.
  if (files.length === 0) throw new RebuildError(`${name} is missing: ${advice.correctUrlOrRebuild}`);
  await migratePresentReplicas(databases);
  const ends = readEnds(databases);
  const hasOrders = (end: ReplicaEnd | DatabaseError) => !(end instanceof DatabaseError) && end.lastId > 0;
  for (const end of ends) {
    if (end instanceof DatabaseError)
      throw unsafe(end.problem === "missing" ? `so is ${end.file}` : `${end.file} can't be read`);
    if (!hasOrders(end) && ends.some(hasOrders)) throw unsafe(`${end.file} is empty, as if it were new`);
  }
  const notWhole = filesNotWhole(databases);
  if (notWhole.length > 0) {
    const files = notWhole.join(", ");
    throw unsafe(
      `the last acknowledged orders may be missing in ${files}, which may not have caught up since a power cut or since they were created`,
      advice.putBackOrAcceptLoss,
    );
  }
  const kept = keptStocksFile(databases.dataDir);
  if (!existsSync(kept)) throw unsafe(`so is ${kept}, which holds the initial stocks`);
}

/** Requires readable replicas: an unreadable one may hold orders that no other has, so a person must decide. */
function requireReadable(databases: Databases): void {
  for (const end of readEnds(databases)) {
    if (end instanceof DatabaseError && end.problem !== "missing") throw unreadable(end);
  }
}

/** Like `requireReadable`, for damaged pages that only the comparison of the orders reads. */
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
    await store.requireUsable();
    await requireOneHistory(databases);
  } catch (error) {
    if (error instanceof HistoryError || (error instanceof DatabaseError && isBroken(error))) return;
    throw error;
  }
  const difference = await whatIsWrong(databases);
  if (difference === undefined) {
    throw nothingToMend(store.name);
  }
  const headId = await store.read((view) => view.lastId());
  const lastId = Math.max(0, ...replicaEnds(databases).map((end) => end.lastId));
  if (headId <= lastId) return;
  throw onlyInLedger(difference, { lastId, headId });
}

export function nothingToMend(name: string): RebuildError {
  return new RebuildError(`${name} exists and is correct: there is nothing to mend`);
}

/** The ledger may be the only copy of orders that were acknowledged with replicas which aren't read. */
export function onlyInLedger(
  difference: string,
  { lastId, headId }: { readonly lastId: number; readonly headId: number },
): RebuildError {
  return new RebuildError(
    `${difference}. But only the ledger has the orders from ${lastId + 1} to ${headId}: start everything until a replica has them, then stop and run this again`,
  );
}

export function dontBelongTogether(replica: string, stocksFile: string, error: ReplayError): RebuildError {
  const text = `${replica} and ${stocksFile} don't belong together: ${error.message} ${advice.nameSeededFile}`;
  return new RebuildError(text, { cause: error });
}

/** False for a file that this user may not open: it may be correct. */
export function isBroken({ problem, cause }: DatabaseError): boolean {
  return problem === "not-sqlite" || problem === "damaged" || sqliteCode(cause).startsWith("SQLITE_IOERR");
}

/** A difference if the catalog contradicts itself or every replica. If only some replicas differ, those are wrong. */
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
  const notWhole = filesNotWhole(databases);
  const longest = longestReplica(databases);
  if (!longest) throw new RebuildError(`${dataDir} holds no replica to take the orders from`);
  const { head, aside } = await replaceBy(databases, longest, stocksFile);
  await keepStocks(databases);
  const missing = replicasNamed(databases).flatMap(({ exists, file }) => (exists ? [] : [file]));
  const file = chosenLedgerStore(databases).name;
  return { file, orders: head, replica: longest.file, stocks: stocksFile, aside, missing, notWhole };
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
    throw dontBelongTogether(longest.file, stocksFile, error);
  } finally {
    replicas.close();
  }
}
