import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { damageTable } from "../test/support/damage.ts";
import { initialStocks, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { migrateAll } from "./migrate.ts";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { openCatalogInMemory } from "../test/support/in-memory.ts";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { countStocks, keepStocks, keptStocksFile, seed } from "./seed.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

let folder: string;
let catalog: CatalogDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-seed-"));
  catalog = openCatalogInMemory();
});

afterEach(() => {
  catalog.close();
  rmSync(folder, { recursive: true });
});

function fileOf(...rows: string[]): string {
  const file = join(folder, "my.csv");
  writeFileSync(file, ["name,price,quantity", ...rows].join("\n"));
  return file;
}

const stock = (name: string) => queryCatalog(catalog).select().from(stocks).where(eq(stocks.name, name)).get();

test("an empty catalog gets the ten default stocks, a second time none", () => {
  expect(seed(catalog)).toEqual({ added: 10, kept: 0 });
  expect(stock("GameStart")).toEqual({ name: "GameStart", priceCents: 1599, quantity: 100, volume: 0, rev: 0 });
  expect(seed(catalog)).toEqual({ added: 0, kept: 10 });
  expect(countStocks(catalog)).toBe(10);
});

test("a stock that has been traded keeps its row, whatever the file says", () => {
  seed(catalog);
  const traded = { name: "FishCo", priceCents: 850, quantity: 3, volume: 97, rev: 41 };
  queryCatalog(catalog).update(stocks).set(traded).where(eq(stocks.name, "FishCo")).run();

  expect(seed(catalog, fileOf("FishCo,99.99,5000", "Tux,4.35,5"))).toEqual({ added: 1, kept: 1 });

  expect(stock("FishCo")).toEqual(traded);
  expect(stock("Tux")).toEqual({ name: "Tux", priceCents: 435, quantity: 5, volume: 0, rev: 0 });
});

test("what each stock began with is recorded with it, and stays when it is traded or seeded again", () => {
  seed(catalog, fileOf("Tux,4.35,5"));
  queryCatalog(catalog).update(stocks).set({ quantity: 1, volume: 4, rev: 2 }).run();
  seed(catalog, fileOf("Tux,4.35,9", "Ant,1,7"));
  expect(queryCatalog(catalog).select().from(initialStocks).orderBy(initialStocks.name).all()).toEqual([
    { name: "Ant", quantity: 7 },
    { name: "Tux", quantity: 5 },
  ]);
});

test("it is kept beside the catalog as well, as a file to seed from, over all seedings", () => {
  migrateFile(catalogFile(folder), "catalog");
  const database = openCatalogDatabase(folder);
  seed(database, fileOf("Tux,4.05,5", '"Sons, ""and"" Daughters",15.99,100'));
  queryCatalog(database).update(stocks).set({ quantity: 1, volume: 4, rev: 2 }).where(eq(stocks.name, "Tux")).run();
  seed(database, fileOf("Tux,9,9", "Ant,1000.5,7"));
  database.close();

  expect(readFileSync(keptStocksFile(folder), "utf8")).toBe(
    'name,price,quantity\n"Ant",1000.50,7\n"Sons, ""and"" Daughters",15.99,100\n"Tux",4.05,5\n',
  );
  expect(seed(catalog, keptStocksFile(folder)).added).toBe(3);
  // Deleted, it comes back with the next migration.
  rmSync(keptStocksFile(folder));
  migrateAll({ dataDir: folder, replicas: new Map() });
  expect(seed(catalog, keptStocksFile(folder)).kept).toBe(3);
});

test("a file with one wrong row adds nothing", () => {
  expect(() => seed(catalog, fileOf("Fine,1,1", "Wrong,1.999,1"))).toThrow("line 3, column price");
  expect(countStocks(catalog)).toBe(0);
});

test("a file that isn't there is named", () => {
  expect(() => seed(catalog, join(folder, "nope.csv"))).toThrow(/nope\.csv: can't be read/);
});

test.each([
  ["initial_stocks", keepStocks],
  ["stocks", keepStocks],
  ["sqlite_autoindex_stocks_1", countStocks],
] as const)("a damaged page of %s is told with the file and the command that mends it", (table, read) => {
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const whole = openCatalogDatabase(folder);
  seed(whole);
  whole.close();
  damageTable(file, table, "at the end");
  const damaged = openCatalogDatabase(folder);
  expect(() => read(damaged)).toThrow(`${file} is damaged: run \`npm run rebuild-catalog\``);
  damaged.close();
});
