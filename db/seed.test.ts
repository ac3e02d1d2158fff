import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { damageTable } from "../test/support/damage.ts";
import { initialStocks, stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { migrateAll } from "./migrate.ts";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { keepStocks, keptStocksFile } from "./kept-stocks.ts";
import { countStocks, seed } from "./seed.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

let folder: string;
let config: { dataDir: string };
let catalog: CatalogDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-seed-"));
  config = { dataDir: join(folder, "data") };
  migrateFile(catalogFile(config.dataDir), "catalog");
  catalog = openCatalogDatabase(config.dataDir);
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

test("an empty catalog gets the ten default stocks, a second time none", async () => {
  expect(await seed(config)).toEqual({ added: 10, kept: 0 });
  expect(stock("GameStart")).toEqual({ name: "GameStart", priceCents: 1599, quantity: 100, volume: 0, rev: 0 });
  expect(await seed(config)).toEqual({ added: 0, kept: 10 });
  expect(await countStocks(config)).toBe(10);
});

test("a stock that has been traded keeps its row, whatever the file contains", async () => {
  await seed(config);
  const traded = { name: "FishCo", priceCents: 850, quantity: 3, volume: 97, rev: 41 };
  queryCatalog(catalog).update(stocks).set(traded).where(eq(stocks.name, "FishCo")).run();

  expect(await seed(config, fileOf("FishCo,99.99,5000", "Tux,4.35,5"))).toEqual({ added: 1, kept: 1 });

  expect(stock("FishCo")).toEqual(traded);
  expect(stock("Tux")).toEqual({ name: "Tux", priceCents: 435, quantity: 5, volume: 0, rev: 0 });
});

test("the initial quantity of each stock is stored with it, and stays when it is traded or seeded again", async () => {
  await seed(config, fileOf("Tux,4.35,5"));
  queryCatalog(catalog).update(stocks).set({ quantity: 1, volume: 4, rev: 2 }).run();
  await seed(config, fileOf("Tux,4.35,9", "Ant,1,7"));
  expect(queryCatalog(catalog).select().from(initialStocks).orderBy(initialStocks.name).all()).toEqual([
    { name: "Ant", quantity: 7 },
    { name: "Tux", quantity: 5 },
  ]);
});

test("a copy of the initial stocks is kept beside the catalog over all seedings, and can be seeded from", async () => {
  const beside = { dataDir: folder };
  migrateFile(catalogFile(folder), "catalog");
  const database = openCatalogDatabase(folder);
  await seed(beside, fileOf("Tux,4.05,5", '"Sons, ""and"" Daughters",15.99,100'));
  queryCatalog(database).update(stocks).set({ quantity: 1, volume: 4, rev: 2 }).where(eq(stocks.name, "Tux")).run();
  await seed(beside, fileOf("Tux,9,9", "Ant,1000.5,7"));
  database.close();

  expect(readFileSync(keptStocksFile(folder), "utf8")).toBe(
    'name,price,quantity\n"Ant",1000.50,7\n"Sons, ""and"" Daughters",15.99,100\n"Tux",4.05,5\n',
  );
  expect((await seed(config, keptStocksFile(folder))).added).toBe(3);
  // The next migration creates a deleted copy again.
  rmSync(keptStocksFile(folder));
  await migrateAll({ dataDir: folder, replicas: new Map() });
  expect((await seed(config, keptStocksFile(folder))).kept).toBe(3);
});

test("a file with one wrong row adds nothing", async () => {
  await expect(seed(config, fileOf("Fine,1,1", "Wrong,1.999,1"))).rejects.toThrow("line 3, column price");
  expect(await countStocks(config)).toBe(0);
});

test("a file that isn't there is named", async () => {
  await expect(seed(config, join(folder, "nope.csv"))).rejects.toThrow(/nope\.csv: can't be read/);
});

test.each([
  ["initial_stocks", keepStocks],
  ["stocks", keepStocks],
  ["sqlite_autoindex_stocks_1", countStocks],
] as const)("a damaged page of %s is reported with the file and the repair command", async (table, read) => {
  await seed(config);
  catalog.close();
  const file = catalogFile(config.dataDir);
  damageTable(file, table, "at the end");
  await expect(read(config)).rejects.toThrow(`${file} is damaged: run \`npm run rebuild-catalog\``);
});
