/**
 * What the stocks began with, kept as a file beside the catalog: without it, a catalog that is lost could only be made again
 * by somebody who knows which files it was seeded with.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import type { NewStock } from "@stock-bazaar/shared/domain";
import { type PreparedFile, prepareWhole } from "@stock-bazaar/sqlite/files";
import { formatStocks } from "./stock-file.ts";

/** Where the stocks are kept as they began. */
export function keptStocksFile(dataDir: string): string {
  return join(dataDir, "stocks.csv");
}

/** Writes what the ledger says that they began with into that file, unless it says the same already. */
export async function keepStocks(config: LedgerConfig): Promise<void> {
  const began = await chosenLedgerStore(config).read((view) => view.initialStocks());
  prepareKeptStocks(config.dataDir, began)?.put();
}

/** A file that gets its name only when it is put: a transaction may have to be committed first. `undefined`: nothing to do. */
export function prepareKeptStocks(dataDir: string, began: readonly NewStock[]): PreparedFile | undefined {
  const file = keptStocksFile(dataDir);
  const content = formatStocks(began);
  if (began.length === 0 || (existsSync(file) && readFileSync(file, "utf8") === content)) return undefined;
  return prepareWhole(file, content);
}
