/**
 * Rebuilds a lost catalog (I9) of what the replicas' running services tell, where their files are on other machines. The
 * replicas go on running meanwhile: without a catalog none gets another order.
 */

import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { prefixDifference } from "@stock-bazaar/ledger/compare";
import { orderPages } from "@stock-bazaar/ledger/order-pages";
import { ReplayError } from "@stock-bazaar/ledger/replay";
import type { Order } from "@stock-bazaar/shared/domain";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { makeFolderOf } from "@stock-bazaar/sqlite/files";
import { advice } from "@stock-bazaar/process/advice";
import { keepStocks } from "../kept-stocks.ts";
import { readStocks, stocksFileFor } from "../seed.ts";
import { requireNoBegunRestore } from "./begun-restore.ts";
import {
  alreadyLocked,
  dontBelongTogether,
  isBroken,
  nothingToMend,
  onlyInLedger,
  RebuildError,
  type RebuiltCatalog,
} from "./rebuild-catalog.ts";
import { askService, type ReplicaService, ReplicaServiceError, type ServedReplica } from "./replica-services.ts";
import { verifyServices } from "./verify-services.ts";

/**
 * Rebuilds the catalog, which must not run, of the longest of these replicas. Every one must answer. `stocksFile` holds the
 * initial stocks, as for `rebuildCatalog`, and so are the errors. Throws a RebuildError if a replica gets orders meanwhile.
 */
export async function rebuildFromServices(
  config: LedgerConfig,
  services: readonly ReplicaService[],
  stocksFile: string = stocksFileFor(config.dataDir),
): Promise<RebuiltCatalog> {
  // Reports a wrong file even if there is nothing to mend.
  const stocks = readStocks(stocksFile);
  requireNoBegunRestore(config.dataDir);
  const store = chosenLedgerStore(config);
  const [file] = store.files;
  if (file !== undefined) makeFolderOf(file);
  const unlock = await store.lockIfFree();
  if (!unlock) throw alreadyLocked(store.name);
  try {
    const replicas = await Promise.all(services.map(askService));
    const longest = longestOf(replicas);
    await requireSomethingToMend(config, services, longest.lastId);
    await requireAgreement(replicas, longest);
    const pages = ordersOfLongest(longest, { replicas, services });
    const { head, aside } = await store.replaceWith({ stocks, pages });
    await keepStocks(config);
    const notWhole = replicas.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
    return { file: store.name, orders: head, replica: longest.name, stocks: stocksFile, aside, missing: [], notWhole };
  } catch (error) {
    if (error instanceof ReplayError) throw dontBelongTogether("the replicas", stocksFile, error);
    throw error instanceof ReplicaServiceError ? unreadable(error) : error;
  } finally {
    await unlock();
  }
}

/** A replica that doesn't answer may hold orders that no other has, so a person must decide. */
function unreadable(error: ReplicaServiceError): RebuildError {
  const text = `${error.message}, and may hold orders that no other replica has: ${advice.goOnWithoutReplica}`;
  return new RebuildError(text, { cause: error });
}

function longestOf(replicas: readonly ServedReplica[]): ServedReplica {
  const [first, ...others] = replicas;
  if (!first) throw new RebuildError("ORDER_REPLICAS must name a replica to take the orders from (got none)");
  return others.reduce((best, replica) => (replica.lastId > best.lastId ? replica : best), first);
}

async function requireSomethingToMend(
  config: LedgerConfig,
  services: readonly ReplicaService[],
  lastId: number,
): Promise<void> {
  const store = chosenLedgerStore(config);
  if (await store.isMissing()) return;
  let headId: number;
  try {
    headId = await store.read((view) => view.lastId());
  } catch (error) {
    if (error instanceof DatabaseError && isBroken(error)) return;
    throw error;
  }
  if (headId < lastId) return;
  const checks = await verifyServices(config, services);
  const [ofLedger] = checks.filter(({ promise }) => promise !== "I3").flatMap(({ differences }) => differences);
  const ofReplicas = checks.filter(({ promise }) => promise === "I3").map(({ differences }) => differences[0]);
  // If only some replicas differ, those are wrong.
  const difference = ofLedger ?? (ofReplicas.every((found) => found !== undefined) ? ofReplicas[0] : undefined);
  if (difference === undefined) throw nothingToMend(store.name);
  if (headId > lastId) throw onlyInLedger(difference, { lastId, headId });
}

async function requireAgreement(replicas: readonly ServedReplica[], longest: ServedReplica): Promise<void> {
  for (const replica of replicas) {
    const difference = replica === longest ? undefined : await prefixDifference(replica, replica.lastId, longest);
    if (difference === undefined) continue;
    throw new RebuildError(`the replicas contradict each other: ${difference}: ${advice.goOnWithoutWrongReplica}`);
  }
}

/** The orders of the longest replica after an id. Rejects at the end if a replica has got another one meanwhile. */
export async function* ordersOfLongest(
  longest: ServedReplica,
  options: {
    readonly replicas: readonly ServedReplica[];
    readonly services: readonly ReplicaService[];
    readonly after?: number;
  },
): AsyncGenerator<readonly Order[]> {
  const { replicas, services, after = 0 } = options;
  yield* orderPages(longest, after, longest.lastId);
  const now = await Promise.all(services.map(askService));
  for (const [index, { name, lastId }] of now.entries()) {
    const before = replicas[index]?.lastId;
    // The longest one may still feed another.
    if (lastId <= longest.lastId) continue;
    throw new RebuildError(`${name} must end at order ${before} (got ${lastId} now): ${advice.stopCatalog}`);
  }
}
