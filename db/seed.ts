/**
 * Adds the stocks that the catalog lacks. An existing stock keeps its row, whatever the file contains: resetting its
 * quantity would undo trades that the ledger still holds (I1).
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import type { NewStock } from "@stock-bazaar/shared/domain";
import { keptStocksFile, prepareKeptStocks } from "./kept-stocks.ts";
import { parseStockFile, parseStocks, StockFileError, type StockOfFile } from "./stock-file.ts";

export const defaultStocksFile = join(import.meta.dirname, "stocks.csv");

/** The file to seed a rebuilt catalog from: the copy of the initial stocks if there is one, else the default stocks. */
export function stocksFileFor(dataDir: string): string {
  const kept = keptStocksFile(dataDir);
  return existsSync(kept) ? kept : defaultStocksFile;
}

export interface Seeded {
  readonly added: number;
  /** Stocks of the file that existed already and keep their rows. */
  readonly kept: number;
}

/** Adds all missing stocks or none. Throws a StockFileError if the file can't be read or any row of it is wrong. */
export async function seed(config: LedgerConfig, file: string = defaultStocksFile): Promise<Seeded> {
  const wanted = readStocks(file);
  // The copy is written before the commit: a stock that is only in the copy is harmless, one that isn't could be lost.
  const added = await chosenLedgerStore(config).addStocks(wanted, (initialStocks) =>
    prepareKeptStocks(config.dataDir, initialStocks)?.put(),
  );
  return { added, kept: wanted.length - added };
}

/** Throws a StockFileError if the file can't be read or any row of it is wrong. */
export function readStocks(file: string): NewStock[] {
  return parseStocks(readStocksFile(file), file);
}

/** Like `readStocks`, with each stock's volume and its place in the file. */
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
