/** Writes a replay into a catalog that is migrated and seeded. By hand, not by drizzle: there may be millions of orders. */

import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import { nothingUsed, Replay, type Replayed, ReplayError, type Used } from "../replay.ts";
import type { CatalogDatabase } from "./database.ts";

export interface SqliteReplay {
  /** Inside a transaction. */
  add(orders: readonly Order[]): void;
  /** Inside a transaction: writes the stocks and the register. */
  end(nowMs: number): Replayed;
}

/** Throws a ReplayError if the ledger has orders already. */
export function startReplay({ client }: CatalogDatabase, used: Used): SqliteReplay {
  if (client.prepare("SELECT 1 FROM ledger LIMIT 1").get()) throw new ReplayError("the ledger has orders already");
  const began = client.prepare<[], NewStock>("SELECT name, quantity, price_cents AS priceCents FROM stocks");
  const replay = new Replay(began.iterate(), used);
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

/** All of it in one transaction. Throws a ReplayError, and has written nothing, if orders and stocks don't belong together. */
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
