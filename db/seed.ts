/**
 * Puts stocks into the catalog that aren't there yet. A stock that is there keeps its row, whatever the file says:
 * to set its quantity back would undo trades that the ledger still holds (I1).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { count } from "drizzle-orm";
import { stocks } from "./catalog-tables.ts";
import type { CatalogDatabase } from "./open.ts";
import { parseStocks, StockFileError } from "./stock-file.ts";

export const defaultStocksFile = join(import.meta.dirname, "stocks.csv");

export interface Seeded {
  readonly added: number;
  /** Stocks of the file that were there already, and were left as they are. */
  readonly kept: number;
}

/** All or nothing. Throws a StockFileError if the file can't be read or any row of it is wrong. */
export function seed({ db }: CatalogDatabase, file: string = defaultStocksFile): Seeded {
  const wanted = parseStocks(readStocksFile(file), file);
  const added = db.transaction(
    (transaction) =>
      wanted.reduce((sum, stock) => {
        const row = { ...stock, volume: 0, rev: 0 };
        return sum + transaction.insert(stocks).values(row).onConflictDoNothing({ target: stocks.name }).run().changes;
      }, 0),
    { behavior: "immediate" },
  );
  return { added, kept: wanted.length - added };
}

export function countStocks({ db }: CatalogDatabase): number {
  return db.select({ stocks: count() }).from(stocks).get()?.stocks ?? 0;
}

function readStocksFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StockFileError([`${file}: can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
