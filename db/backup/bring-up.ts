/**
 * Brings a ledger that is an old copy up from the replicas: adds the stocks and the orders that it lacks, in a new life. What
 * it has kept of rejections stays, unlike in a rebuild.
 */

import { existsSync } from "node:fs";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { ReplayError } from "@stock-bazaar/ledger/replay";
import { advice } from "@stock-bazaar/process/advice";
import type { NewStock } from "@stock-bazaar/shared/domain";
import { keepStocks, keptStocksFile, prepareKeptStocks } from "../kept-stocks.ts";
import { readStocks } from "../seed.ts";
import { type FollowedReplicas, requireOneSequence } from "./followed-replicas.ts";
import { RestoreError } from "./restore-error.ts";

export interface BroughtUp {
  /** The orders that the ledger had, and those that it has now. */
  readonly before: number;
  readonly orders: number;
  /** The replica that had the others; `undefined` if none had more. */
  readonly replica: string | undefined;
  readonly stocksAdded: number;
}

export interface BringUpOptions {
  readonly replicas: FollowedReplicas;
  /** From `laterStocks`. */
  readonly stocks: readonly NewStock[];
  /** Compare only, and change nothing. */
  readonly dryRun: boolean;
}

/** The caller must hold the ledger's lock. Rejects with a RestoreError if the ledger contradicts itself or a replica. */
export async function bringUp(config: LedgerConfig, { replicas, stocks, dryRun }: BringUpOptions): Promise<BroughtUp> {
  const store = chosenLedgerStore(config);
  const [unsound] = (await store.check([])).flatMap(({ differences }) => differences);
  if (unsound !== undefined) throw new RestoreError(`${unsound}: a ledger must be sound before it is continued`);
  const before = await store.read((view) => view.lastId());
  const longest = await requireOneSequence(store, before, replicas);
  const replica = longest?.name;
  if (dryRun) return { before, orders: longest?.lastId ?? before, replica, stocksAdded: 0 };
  try {
    const stocksAdded = await store.addStocks(stocks, (all) => prepareKeptStocks(config.dataDir, all)?.put());
    const { head } = await store.continueWith(longest ? replicas.pagesAfter(longest, before) : []);
    await keepStocks(config);
    return { before, orders: head, replica, stocksAdded };
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    throw new RestoreError(`${replica} doesn't continue ${store.name}: ${error.message} ${advice.nameLaterStocks}`, {
      cause: error,
    });
  }
}

/**
 * The stocks of `file`, or of the copy of the initial stocks in this folder if that goes on from the ledger's: it may hold stocks
 * that were added since the backup. A copy that lacks some of the ledger's stocks is that of another ledger.
 */
export async function laterStocks(config: LedgerConfig, dataDir: string, file?: string): Promise<readonly NewStock[]> {
  if (file !== undefined) return readStocks(file);
  const kept = keptStocksFile(dataDir);
  if (!existsSync(kept)) return [];
  const stocks = readStocks(kept);
  const quantities = new Map(stocks.map(({ name, quantity }) => [name, quantity]));
  const known = await chosenLedgerStore(config).read((view) => view.initialStocks());
  return known.every(({ name, quantity }) => quantities.get(name) === quantity) ? stocks : [];
}
