/**
 * Imports the files of an earlier system: its stocks become the stocks of the catalog, its orders the first rows of the
 * ledger. The lines are read into a temporary database and checked there, so every problem is found before the single
 * transaction that writes begins. An import can be killed at any point and run again.
 *
 * The replicas get these orders like any others: a leader fetches them from the ledger.
 */

import { existsSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import { DatabaseError } from "@stock-bazaar/sqlite/database-error";
import { isMissing, makeFolderOf, type PreparedFile, syncToDisk } from "@stock-bazaar/sqlite/files";
import { keepStocks, keptStocksFile, prepareKeptStocks } from "../kept-stocks.ts";
import { migrateAll } from "../migrate.ts";
import { requireNoLostCatalog } from "../recovery/history.ts";
import { whileAllLocked } from "../recovery/lock-all.ts";
import { type Databases, readEnds } from "../recovery/replicas-here.ts";
import { readStockFile } from "../seed.ts";
import type { StockOfFile } from "../stock-file.ts";
import { type Beginning, findBeginnings, requirePossible } from "./beginnings.ts";
import { ImportError } from "./import-error.ts";
import { type Naming, type NumberedLine, numberLines, type StagedLine } from "./numbering.ts";
import { defaultNumbersFile, writeNumbers } from "./numbers-file.ts";
import { readOrderFile } from "./order-file.ts";
import { Staging, stagingPrefix } from "./staging.ts";

export interface ImportOptions {
  readonly stocksFile: string;
  readonly orderFiles: readonly string[];
  /** Give all orders new numbers. */
  readonly renumber: boolean;
  /** The file for the table of old and new numbers, if orders get new ones. Default: in `dataDir`. */
  readonly numbersFile?: string | undefined;
  /** Check everything and write nothing. */
  readonly dryRun: boolean;
  /** The `created_at` of every order: ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Imported {
  /** The catalog's file. */
  readonly file: string;
  readonly stocks: readonly ImportedStock[];
  readonly orders: number;
  /** Lines that repeat another line. */
  readonly equalLines: number;
  /** Stocks of the catalog that aren't in the imported file. */
  readonly otherStocks: number;
  /** The table of old and new numbers; `undefined` if each order keeps its number. */
  readonly numbersFile: string | undefined;
  readonly dryRun: boolean;
}

export interface ImportedStock {
  readonly name: string;
  readonly priceCents: number;
  readonly initial: number;
  readonly quantity: number;
  readonly volume: number;
  /** The volume in the file if it differs from `volume`; `undefined` if it is absent or equal. */
  readonly otherVolume: number | undefined;
}

const problemsShownMax = 10;

/**
 * Imports all files or nothing. Neither the catalog nor a replica may run or hold an order. Throws an ImportError, a
 * StockFileError or a DatabaseError that names the place of the problem.
 */
export async function importFiles(databases: Databases, options: ImportOptions): Promise<Imported> {
  const stocks = readStockFile(options.stocksFile);
  const { dataDir } = databases;
  if (!options.dryRun) makeFolderOf(keptStocksFile(dataDir));
  const importFrom = async (stagingFolder: string) => {
    const staging = new Staging(stagingFolder);
    try {
      const lines = await stage(staging, stocks, options);
      return await write(databases, options, stocks, staging, lines);
    } finally {
      staging.close();
    }
  };
  if (!existsSync(dataDir)) {
    await requireNoOrders(databases);
    return importFrom(tmpdir());
  }
  return whileAllLocked(databases, alreadyLocked, async () => {
    await requireNoOrders(databases);
    removeLeftStagings(dataDir);
    return importFrom(dataDir);
  });
}

function alreadyLocked(file: string): ImportError {
  return new ImportError(
    `${file} is held by a running service, or by another command: stop everything first, then run this again`,
  );
}

async function requireNoOrders(databases: Databases): Promise<void> {
  const elsewhere = "an import needs databases without orders: name another folder with DATA_DIR";
  await requireNoLostCatalog(databases);
  const store = chosenLedgerStore(databases);
  if (!(await store.isMissing())) {
    await store.read(async (view) => {
      const orders = await view.lastId();
      if (orders > 0) throw new ImportError(`${store.name} holds ${orders} orders already; ${elsewhere}`);
      // Keys from `import-0` to `import-9…`. A rejected key keeps its first outcome (R3), so no order may have it.
      const key = await view.firstRejectedKey("import-0", "import-:");
      if (key !== undefined)
        throw new ImportError(`${store.name} holds a rejected trade with the key ${key}; ${elsewhere}`);
    });
  }
  for (const end of readEnds(databases)) {
    if (end instanceof DatabaseError) {
      if (isMissing(end.file)) continue;
      throw end;
    }
    if (end.lastId > 0) throw new ImportError(`${end.file} holds ${end.lastId} orders already; ${elsewhere}`);
  }
}

/** Removes the files that killed imports left behind. */
function removeLeftStagings(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(stagingPrefix)) rmSync(join(dataDir, name), { recursive: true });
  }
}

/** Reads and checks the order files. Returns the number of lines. Throws an ImportError if a line is wrong. */
async function stage(
  staging: Staging,
  stocks: readonly StockOfFile[],
  { stocksFile, orderFiles }: ImportOptions,
): Promise<number> {
  const stockOf = new Map(stocks.map(({ name }, index) => [name, index]));
  const problems: string[] = [];
  let wrong = 0;
  let lines = 0;
  for (const [source, file] of orderFiles.entries()) {
    for await (const batch of readOrderFile(file)) {
      const staged: StagedLine[] = [];
      for (const entry of batch) {
        const stock = "problem" in entry ? undefined : stockOf.get(entry.name);
        if ("problem" in entry || stock === undefined) {
          wrong += 1;
          const problem =
            "problem" in entry
              ? entry.problem
              : `name must be a stock of ${stocksFile} (got ${JSON.stringify(entry.name)})`;
          if (problems.length < problemsShownMax) problems.push(`${file}, line ${entry.line}: ${problem}`);
          continue;
        }
        const { number, line, type, quantity } = entry;
        staged.push({ number, source, line, stock, type, quantity });
      }
      lines += staged.length;
      staging.add(staged);
    }
  }
  if (wrong > problems.length) problems.push(`and ${wrong - problems.length} more lines are wrong`);
  if (problems.length > 0) throw new ImportError(problems.join("\n"));
  return lines;
}

async function write(
  databases: Databases,
  options: ImportOptions,
  stocks: readonly StockOfFile[],
  staging: Staging,
  lines: number,
): Promise<Imported> {
  const { dataDir } = databases;
  const { orderFiles, renumber, dryRun } = options;
  const naming: Naming = {
    place: ({ source, line }) => `${orderFiles[source]}, line ${line}`,
    what: ({ type, quantity, stock }) => `${type} ${quantity} ${stocks[stock]?.name}`,
  };
  const orders = () => numberLines(staging.lines(), renumber, naming);
  const beginnings = findBeginnings(stocks, orders());
  requirePossible(beginnings, orders(), naming);

  const count = beginnings.reduce((sum, { orders }) => sum + orders, 0);
  const numbersFile = renumber ? (options.numbersFile ?? defaultNumbersFile(dataDir)) : undefined;
  const imported = {
    file: chosenLedgerStore(databases).name,
    stocks: beginnings.map(importedStock),
    orders: count,
    equalLines: lines - count,
    otherStocks: 0,
    numbersFile,
    dryRun,
  };
  if (dryRun) return { ...imported, otherStocks: await countOthers(databases, stocks) };

  // The table comes before the orders. Without it, orders could never be found by their old numbers.
  if (numbersFile !== undefined) {
    writeNumbers(numbersFile, orders(), orderFiles);
  }
  await migrateAll(databases);
  const otherStocks = await countOthers(databases, stocks);
  // This opens the catalog last: only a writer copies the WAL back into the database when it closes.
  await writeCatalog(databases, beginnings, orders(), options.createdAt);
  return { ...imported, otherStocks };
}

function importedStock({ stock, initial, volume }: Beginning): ImportedStock {
  const { name, priceCents, quantity } = stock;
  const otherVolume = stock.volume === volume ? undefined : stock.volume;
  return { name, priceCents, initial, quantity, volume, otherVolume };
}

async function writeCatalog(
  databases: Databases,
  beginnings: readonly Beginning[],
  lines: Iterable<NumberedLine>,
  createdAt: string,
): Promise<void> {
  const { dataDir } = databases;
  const content = {
    stocks: beginnings.map(({ stock, initial }): NewStock => ({ ...stock, quantity: initial })),
    orders: ({ term }: { readonly term: number }) => toOrders(lines, beginnings, term + 1, createdAt),
    quantities: new Map(beginnings.map(({ stock }) => [stock.name, stock.quantity])),
  };
  let kept: PreparedFile | undefined;
  try {
    await chosenLedgerStore(databases).fillEmpty(content, (began) => {
      kept = prepareKeptStocks(dataDir, began);
      // An import killed around the commit must leave no file rather than a wrong one: `npm run migrate` and
      // `npm start` create a missing one again.
      if (kept) rmSync(keptStocksFile(dataDir), { force: true });
      syncToDisk(dataDir);
    });
    kept?.put();
  } catch (error) {
    kept?.drop();
    await restoreKeptStocks(databases);
    throw error;
  }
}

/** If this fails, `npm run migrate` or `npm start` does it later. */
async function restoreKeptStocks(databases: Databases): Promise<void> {
  try {
    await keepStocks(databases);
  } catch {
    // The import's own error is more useful.
  }
}

/** Numbered lines as orders. No leader may have had this `term`. */
function* toOrders(
  lines: Iterable<NumberedLine>,
  beginnings: readonly Beginning[],
  term: number,
  createdAt: string,
): Generator<Order> {
  for (const { id, stock, type, quantity } of lines) {
    const { name = "", priceCents = 0 } = beginnings[stock]?.stock ?? {};
    yield { id, key: `import-${id}`, name, type, quantity, priceCents, term, createdAt };
  }
}

/** Counts the stocks of the catalog that aren't in the imported file. */
async function countOthers(databases: Databases, stocks: readonly StockOfFile[]): Promise<number> {
  const store = chosenLedgerStore(databases);
  if (await store.isMissing()) return 0;
  const names = new Set(stocks.map(({ name }) => name));
  const all = await store.read((view) =>
    view.stocksFrom({ start: "", inclusive: true, limit: Number.MAX_SAFE_INTEGER }),
  );
  return all.filter(({ name }) => !names.has(name)).length;
}
