/** Initial stocks in the catalog's database. */

import { count, eq } from "drizzle-orm";
import type { NewStock } from "@stock-bazaar/shared/domain";
import type { BeforeCommit } from "../store.ts";
import type { CatalogDatabase } from "./database.ts";
import { queryCatalog } from "./query.ts";
import { initialStocks as initialStocksTable, stocks as stocksTable } from "./tables.ts";

/** Adds the stocks that are missing. Returns how many. */
export function addStocks(
  catalog: CatalogDatabase,
  stocks: readonly NewStock[],
  beforeCommit: BeforeCommit = () => {},
): number {
  const { client } = catalog;
  // Not with drizzle: a running bazaar's trades wait for this transaction, and there may be half a million stocks.
  const insertStock = client.prepare<[string, number, number]>(
    "INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES (?, ?, ?, 0, 0) ON CONFLICT (name) DO NOTHING",
  );
  const insertInitial = client.prepare<[string, number]>("INSERT INTO initial_stocks (name, quantity) VALUES (?, ?)");
  const insertMissing = client.transaction(() => {
    let added = 0;
    for (const { name, priceCents, quantity } of stocks) {
      const { changes } = insertStock.run(name, priceCents, quantity);
      if (changes > 0) insertInitial.run(name, quantity);
      added += changes;
    }
    beforeCommit(initialStocks(catalog));
    return added;
  });
  return insertMissing.immediate();
}

export function initialStocks(catalog: CatalogDatabase): NewStock[] {
  return queryCatalog(catalog)
    .select({ name: stocksTable.name, priceCents: stocksTable.priceCents, quantity: initialStocksTable.quantity })
    .from(initialStocksTable)
    .innerJoin(stocksTable, eq(stocksTable.name, initialStocksTable.name))
    .orderBy(stocksTable.name)
    .all();
}

export function countStocks(catalog: CatalogDatabase): number {
  return queryCatalog(catalog).select({ stocks: count() }).from(stocksTable).get()?.stocks ?? 0;
}
