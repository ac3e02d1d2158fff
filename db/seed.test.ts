import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stocks } from "./catalog-tables.ts";
import { type CatalogDatabase, openCatalogInMemory } from "./open.ts";
import { countStocks, seed } from "./seed.ts";

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

const stock = (name: string) => catalog.db.select().from(stocks).where(eq(stocks.name, name)).get();

test("an empty catalog gets the ten default stocks, a second time none", () => {
  expect(seed(catalog)).toEqual({ added: 10, kept: 0 });
  expect(stock("GameStart")).toEqual({ name: "GameStart", priceCents: 1599, quantity: 100, volume: 0, rev: 0 });
  expect(seed(catalog)).toEqual({ added: 0, kept: 10 });
  expect(countStocks(catalog)).toBe(10);
});

test("a stock that has been traded keeps its row, whatever the file says", () => {
  seed(catalog);
  const traded = { name: "FishCo", priceCents: 850, quantity: 3, volume: 97, rev: 41 };
  catalog.db.update(stocks).set(traded).where(eq(stocks.name, "FishCo")).run();

  expect(seed(catalog, fileOf("FishCo,99.99,5000", "Tux,4.35,5"))).toEqual({ added: 1, kept: 1 });

  expect(stock("FishCo")).toEqual(traded);
  expect(stock("Tux")).toEqual({ name: "Tux", priceCents: 435, quantity: 5, volume: 0, rev: 0 });
});

test("a file with one wrong row adds nothing", () => {
  expect(() => seed(catalog, fileOf("Fine,1,1", "Wrong,1.999,1"))).toThrow("line 3, column price");
  expect(countStocks(catalog)).toBe(0);
});

test("a file that isn't there is named", () => {
  expect(() => seed(catalog, join(folder, "nope.csv"))).toThrow(/nope\.csv: can't be read/);
});
