/**
 * Takes in what an earlier system leaves behind: its stocks become the stocks of the catalog, its orders the first rows
 * of the ledger. The lines are read into a file of their own and checked there, so all that can be wrong is known before
 * the one transaction begins that writes. It can be killed at any point and run again.
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
  /** Number all orders anew. */
  readonly renumber: boolean;
  /** Where the table of old and new numbers is written, if they are numbered anew. Default: in `dataDir`. */
  readonly numbersFile?: string | undefined;
  /** Check everything, write nothing. */
  readonly dryRun: boolean;
  /** Becomes `created_at` of every order: ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Imported {
  /** The catalog's. */
  readonly file: string;
  readonly stocks: readonly ImportedStock[];
  readonly orders: number;
  /** Lines that say what another line has said. */
  readonly equalLines: number;
  /** Stocks that the catalog has besides. */
  readonly otherStocks: number;
  /** The table of old and new numbers; `undefined`: each order keeps its number. */
  readonly numbersFile: string | undefined;
  readonly dryRun: boolean;
}

export interface ImportedStock {
  readonly name: string;
  readonly priceCents: number;
  readonly initial: number;
  readonly quantity: number;
  readonly volume: number;
  /** What the file says that the volume is; `undefined`: nothing, or the same. */
  readonly otherVolume: number | undefined;
}

const problemsShownMax = 10;

/**
 * All or nothing. Neither the catalog nor a replica may run, and none may hold an order. Throws an ImportError, a
 * StockFileError or a DatabaseError that says what is wrong, and where.
 */
export async function importFiles(databases: Databases, options: ImportOptions): Promise<Imported> {
  const stocks = readStockFile(options.stocksFile);
  const { dataDir } = databases;
  if (!options.dryRun) makeFolderOf(keptStocksFile(dataDir));
  const takeIn = async (stagingFolder: string) => {
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
    return takeIn(tmpdir());
  }
  return whileAllLocked(databases, running, async () => {
    await requireNoOrders(databases);
    removeLeftStagings(dataDir);
    return takeIn(dataDir);
  });
}

function running(file: string): ImportError {
  return new ImportError(
    `${file} is held by a service that runs, or by another command: stop everything first, then run this again`,
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
      // Those from `import-0` to `import-9…`. The first outcome of a key is kept (R3): no order may have this key.
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

/** What imports left behind that were killed. */
function removeLeftStagings(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(stagingPrefix)) rmSync(join(dataDir, name), { recursive: true });
  }
}

/** Returns how many lines there are. */
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

  // Before the orders: a table without them does no harm, and orders without it could never be found by their old numbers.
  if (numbersFile !== undefined) {
    writeNumbers(numbersFile, orders(), orderFiles);
  }
  await migrateAll(databases);
  const otherStocks = await countOthers(databases, stocks);
  // Opens the catalog last: only a writer puts its log back into the database.
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
      // Killed around the commit, it leaves no such file rather than a wrong one; `npm run migrate` and `npm start` make it again.
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

/** Where even that fails, `npm run migrate` and `npm start` do it. */
async function restoreKeptStocks(databases: Databases): Promise<void> {
  try {
    await keepStocks(databases);
  } catch {
    // Why the import failed says more.
  }
}

/** In a term that nobody has led in. */
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

/** Stocks of the catalog that the file doesn't name. */
async function countOthers(databases: Databases, stocks: readonly StockOfFile[]): Promise<number> {
  const store = chosenLedgerStore(databases);
  if (await store.isMissing()) return 0;
  const names = new Set(stocks.map(({ name }) => name));
  const all = await store.read((view) =>
    view.stocksFrom({ start: "", inclusive: true, limit: Number.MAX_SAFE_INTEGER }),
  );
  return all.filter(({ name }) => !names.has(name)).length;
}
