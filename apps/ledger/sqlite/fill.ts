/** Fills a catalog that has no orders, in one transaction. An import uses it. */

import { explained } from "@stock-bazaar/sqlite/connection";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import type { Replayed } from "../replay.ts";
import type { BeforeCommit, FillContent } from "../store.ts";
import { openCatalogDatabase } from "./database.ts";
import { replayOrders, usedBy } from "./replay-orders.ts";
import { initialStocks } from "./stocks.ts";

export function fillCatalog(
  dataDir: string,
  { stocks, orders, quantities }: FillContent,
  beforeCommit: BeforeCommit,
): Replayed {
  const catalog = openCatalogDatabase(dataDir);
  const { client } = catalog;
  const setStock = client.prepare<[string, number, number]>(
    `INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES (?, ?, ?, 0, 0)
     ON CONFLICT (name) DO UPDATE SET price_cents = excluded.price_cents, quantity = excluded.quantity, volume = 0, rev = 0`,
  );
  const setInitial = client.prepare<[string, number]>(
    "INSERT INTO initial_stocks (name, quantity) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET quantity = excluded.quantity",
  );
  const quantityOf = client.prepare<[string], { quantity: number }>("SELECT quantity FROM stocks WHERE name = ?");
  const fill = client.transaction((): Replayed => {
    const used = usedBy(catalog);
    for (const { name, priceCents, quantity } of stocks) {
      setStock.run(name, priceCents, quantity);
      setInitial.run(name, quantity);
    }
    const replayed = replayOrders(catalog, orders(used), used);
    for (const [name, quantity] of quantities) {
      const got = quantityOf.get(name)?.quantity;
      if (got !== quantity) throw new Error(`the orders must lead to ${quantity} units of ${name} (got ${got})`);
    }
    beforeCommit(initialStocks(catalog));
    return replayed;
  });
  try {
    return fill.immediate();
  } catch (error) {
    throw sqliteFailure(error) === "other" ? error : explained(client.name, catalog.kind, error);
  } finally {
    catalog.close();
  }
}
