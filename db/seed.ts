/**
 * Puts stocks into the catalog that aren't there yet. A stock that is there keeps its row, whatever the file says:
 * to set its quantity back would undo trades that the ledger still holds (I1).
 *
 * What the stocks began with is also kept as a file beside the catalog: without it, a catalog that is lost could only
 * be made again by somebody who knows which files it was seeded with.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { count, eq } from "drizzle-orm";
import { initialStocks, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { explaining } from "@stock-bazaar/sqlite/connection";
import { type PreparedFile, prepareWhole } from "@stock-bazaar/sqlite/files";
import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import {
  formatStocks,
  type NewStock,
  parseStockFile,
  parseStocks,
  StockFileError,
  type StockOfFile,
} from "./stock-file.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

export const defaultStocksFile = join(import.meta.dirname, "stocks.csv");

/** Where the stocks are kept as they began. */
export function keptStocksFile(dataDir: string): string {
  return join(dataDir, "stocks.csv");
}

/** What a catalog is seeded with that has to be made again. */
export function stocksFileFor(dataDir: string): string {
  const kept = keptStocksFile(dataDir);
  return existsSync(kept) ? kept : defaultStocksFile;
}

export interface Seeded {
  readonly added: number;
  /** Stocks of the file that were there already, and were left as they are. */
  readonly kept: number;
}

/** All or nothing. Throws a StockFileError if the file can't be read or any row of it is wrong. */
export function seed(catalog: CatalogDatabase, file: string = defaultStocksFile): Seeded {
  const wanted = readStocks(file);
  const added = explaining(catalog.client.name, catalog.kind, () => insertMissing(catalog, wanted));
  return { added, kept: wanted.length - added };
}

/** Throws a StockFileError if the file can't be read or any row of it is wrong. */
export function readStocks(file: string): NewStock[] {
  return parseStocks(readStocksFile(file), file);
}

/** The same, with all that the file says. */
export function readStockFile(file: string): StockOfFile[] {
  return parseStockFile(readStocksFile(file), file);
}

function insertMissing(catalog: CatalogDatabase, wanted: readonly NewStock[]): number {
  const { client } = catalog;
  // Not by drizzle: the trades of a bazaar that runs wait for this, and of half a million stocks each takes its time.
  const insertStock = client.prepare<[string, number, number]>(
    "INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES (?, ?, ?, 0, 0) ON CONFLICT (name) DO NOTHING",
  );
  const insertInitial = client.prepare<[string, number]>("INSERT INTO initial_stocks (name, quantity) VALUES (?, ?)");
  return queryCatalog(catalog).transaction(
    () => {
      let added = 0;
      for (const { name, priceCents, quantity } of wanted) {
        const { changes } = insertStock.run(name, priceCents, quantity);
        if (changes > 0) insertInitial.run(name, quantity);
        added += changes;
      }
      // Before the commit: a stock that only the file knows does no harm, one that only the catalog knows could be lost.
      keepStocks(catalog);
      return added;
    },
    { behavior: "immediate" },
  );
}

/** Writes what the stocks began with into the file beside the catalog, unless it is there already. */
export function keepStocks(catalog: CatalogDatabase): void {
  prepareKeptStocks(catalog)?.put();
}

/** The same, but the file gets its name only when it is put: a transaction may have to be committed first. */
export function prepareKeptStocks(catalog: CatalogDatabase): PreparedFile | undefined {
  const { client } = catalog;
  if (client.memory) return undefined;
  const began = explaining(client.name, catalog.kind, () =>
    queryCatalog(catalog)
      .select({ name: stocks.name, priceCents: stocks.priceCents, quantity: initialStocks.quantity })
      .from(initialStocks)
      .innerJoin(stocks, eq(stocks.name, initialStocks.name))
      .orderBy(stocks.name)
      .all(),
  );
  const file = keptStocksFile(dirname(client.name));
  const content = formatStocks(began);
  if (began.length === 0 || (existsSync(file) && readFileSync(file, "utf8") === content)) return undefined;
  return prepareWhole(file, content);
}

export function countStocks(catalog: CatalogDatabase): number {
  const counted = () => queryCatalog(catalog).select({ stocks: count() }).from(stocks).get();
  return explaining(catalog.client.name, catalog.kind, counted)?.stocks ?? 0;
}

function readStocksFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StockFileError([`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
