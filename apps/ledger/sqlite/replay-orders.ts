/**
 * Writes a replay into a migrated and seeded catalog, or the orders that an old copy of one lacks. It doesn't use drizzle, as
 * there may be millions of orders.
 */

import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { lastOrderId } from "@stock-bazaar/sqlite/order-differences";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import type { NewStock, Order, Stock } from "@stock-bazaar/shared/domain";
import { nothingUsed, Replay, type Replayed, ReplayError, type Used } from "../replay.ts";
import type { CatalogDatabase } from "./database.ts";
import { stockColumns } from "./reads.ts";

export interface SqliteReplay {
  /** Must run inside a transaction. */
  add(orders: readonly Order[]): void;
  /** Writes the stocks and the register. Must run inside a transaction. */
  end(nowMs: number): Replayed;
}

/** What the ledger in this database has used. */
export function usedBy({ client }: CatalogDatabase): Used {
  return client.prepare<[], Used>("SELECT term, lease_ms AS leaseMs FROM register").get() ?? nothingUsed;
}

/** Throws a ReplayError if the ledger has orders already. */
export function startReplay({ client }: CatalogDatabase, used: Used): SqliteReplay {
  if (client.prepare("SELECT 1 FROM ledger LIMIT 1").get()) throw new ReplayError("the ledger has orders already");
  const initialStocks = client.prepare<[], NewStock>("SELECT name, quantity, price_cents AS priceCents FROM stocks");
  return writing(client, new Replay(initialStocks.iterate(), used), used);
}

/** Continues the ledger in this database. A key that has an order is no rejected one, whatever the ledger has kept of it. */
export function continueLedger(catalog: CatalogDatabase): SqliteReplay {
  const { client } = catalog;
  const used = usedBy(catalog);
  const stocks = client.prepare<[], Stock>(`SELECT ${stockColumns} FROM stocks`);
  const replay = writing(client, new Replay(stocks.iterate(), used, { head: lastOrderId(client, "ledger") }), used);
  const forget = client.prepare<[string]>("DELETE FROM rejections WHERE key IN (SELECT value FROM json_each(?))");
  return {
    ...replay,
    add(orders) {
      replay.add(orders);
      forget.run(JSON.stringify(orders.map(({ key }) => key)));
    },
  };
}

function writing(client: SqliteClient, replay: Replay, used: Used): SqliteReplay {
  const insertOrders = prepareInsert(client, "ledger", orderColumns);
  const setStock = client.prepare<[number, number, number, number, string]>(
    "UPDATE stocks SET price_cents = ?, quantity = ?, volume = ?, rev = ? WHERE name = ?",
  );
  const setRegister = client.prepare<[number, number, string, number, number]>(
    "UPDATE register SET term = ?, leader = 0, head = ?, life = ?, first_term = ?, lease_ms = ?, ended_cleanly = 0",
  );
  return {
    add(orders) {
      for (const order of orders) replay.add(order);
      insertOrders(orders.map(orderValues));
    },
    end(nowMs) {
      const { head, term, stocks } = replay.end(nowMs);
      for (const { name, priceCents, quantity, volume, rev } of stocks)
        setStock.run(priceCents, quantity, volume, rev, name);
      setRegister.run(term, head, crypto.randomUUID(), term, used.leaseMs);
      return { head, term };
    },
  };
}

/**
 * Replays all orders in one transaction. Throws a ReplayError, and writes nothing, if they don't follow from the
 * stocks.
 */
export function replayOrders(
  catalog: CatalogDatabase,
  orders: Iterable<Order>,
  used: Used = nothingUsed,
  nowMs = Date.now(),
): Replayed {
  const replayAll = catalog.client.transaction((): Replayed => {
    const replay = startReplay(catalog, used);
    for (const order of orders) replay.add([order]);
    return replay.end(nowMs);
  });
  return replayAll.immediate();
}
