/**
 * Keeps a copy of the initial stocks in a file beside the catalog. Without it, a lost catalog could be rebuilt only by
 * a person who remembers which files it was seeded with.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import type { NewStock } from "@stock-bazaar/shared/domain";
import { makeFolderOf, type PreparedFile, prepareWhole } from "@stock-bazaar/sqlite/files";
import { formatStocks } from "./stock-file.ts";

/** The file with the copy of the initial stocks. */
export function keptStocksFile(dataDir: string): string {
  return join(dataDir, "stocks.csv");
}

/** Copies the ledger's initial stocks into that file, unless the file is up to date. */
export async function keepStocks(config: LedgerConfig): Promise<void> {
  const stocks = await chosenLedgerStore(config).read((view) => view.initialStocks());
  prepareKeptStocks(config.dataDir, stocks)?.put();
}

/** Prepares the file; its `put` puts it in place, after a commit if need be. `undefined` if the file is up to date. */
export function prepareKeptStocks(dataDir: string, initialStocks: readonly NewStock[]): PreparedFile | undefined {
  const file = keptStocksFile(dataDir);
  const content = formatStocks(initialStocks);
  if (initialStocks.length === 0 || (existsSync(file) && readFileSync(file, "utf8") === content)) return undefined;
  // With the ledger on a server, this may be the first file there.
  makeFolderOf(file);
  return prepareWhole(file, content);
}
