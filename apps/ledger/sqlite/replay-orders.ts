/** Writes a replay into a migrated and seeded catalog. It doesn't use drizzle, as there may be millions of orders. */

import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import { nothingUsed, Replay, type Replayed, ReplayError, type Used } from "../replay.ts";
import type { CatalogDatabase } from "./database.ts";

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
  const replay = new Replay(initialStocks.iterate(), used);
  const insertOrders = prepareInsert(client, "ledger", orderColumns);
  const setStock = client.prepare<[number, number, number, string]>(
    "UPDATE stocks SET quantity = ?, volume = ?, rev = ? WHERE name = ?",
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
      for (const { name, quantity, volume, rev } of stocks) setStock.run(quantity, volume, rev, name);
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
