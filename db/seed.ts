/**
 * Puts stocks into the catalog that aren't there yet. A stock that is there keeps its row, whatever the file says:
 * to set its quantity back would undo trades that the ledger still holds (I1).
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import type { NewStock } from "@stock-bazaar/shared/domain";
import { keptStocksFile, prepareKeptStocks } from "./kept-stocks.ts";
import { parseStockFile, parseStocks, StockFileError, type StockOfFile } from "./stock-file.ts";

export const defaultStocksFile = join(import.meta.dirname, "stocks.csv");

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
export async function seed(config: LedgerConfig, file: string = defaultStocksFile): Promise<Seeded> {
  const wanted = readStocks(file);
  // Before the commit: a stock that only the file knows does no harm, one that only the catalog knows could be lost.
  const added = await chosenLedgerStore(config).addStocks(wanted, (began) =>
    prepareKeptStocks(config.dataDir, began)?.put(),
  );
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

export function countStocks(config: LedgerConfig): Promise<number> {
  return chosenLedgerStore(config).read((view) => view.countStocks());
}

function readStocksFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StockFileError([`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
