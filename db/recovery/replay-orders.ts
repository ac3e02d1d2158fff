/**
 * Makes a catalog again out of orders: the ledger is their sequence, and what the stocks began with, moved by every
 * order in turn, is what they hold now.
 *
 * What no order tells is gone: the rejections, whose keys are decided anew, and orders that had reached no replica,
 * which nobody was told of (R5).
 */

import type { Order } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";
import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";

/** The terms that a catalog has used since the last one that is known. */
const termsSkipped = 1_000_000;

export interface Replayed {
  /** How many orders, and the number of the last. */
  readonly head: number;
  /** What the register holds now, as the beginning of a new life; the next leader's is one more. */
  readonly term: number;
}

/** The orders and the stocks don't belong together. */
export class ReplayError extends SetupError {
  constructor(message: string) {
    super(message);
    this.name = "ReplayError";
  }
}

interface StockNow {
  quantity: number;
  volume: number;
  rev: number;
  readonly priceCents: number;
  lastPriceCents: number;
}

/** What is known of the catalog that is replaced. */
export interface Used {
  /** No term up to this one comes again. */
  readonly term: number;
  /** The longest lease that it may have given; 0: not known. */
  readonly leaseMs: number;
}

/**
 * A term that was acquired, but in which nothing was traded, is in no order, and processes that run remember it and never go
 * back. An earlier rebuild, of which no order may tell either, began at the millisecond of then; as no catalog gives a term
 * each millisecond, none of its terms has reached that of now.
 */
function unusedTerm(lastTerm: number, nowMs: number): number {
  return Math.max(lastTerm + termsSkipped, nowMs);
}

/**
 * The catalog must be migrated and seeded, without any order. All or nothing: throws a ReplayError if the orders aren't
 * numbered from 1, trade a stock that isn't there, buy what isn't there, or end with another price than the stock has.
 */
export function replayOrders(
  { client }: CatalogDatabase,
  orders: Iterable<Order>,
  used: Used = { term: 0, leaseMs: 0 },
  nowMs = Date.now(),
): Replayed {
  const stocks = new Map(
    client
      .prepare<[], { name: string; quantity: number; priceCents: number }>(
        "SELECT name, quantity, price_cents AS priceCents FROM stocks",
      )
      .all()
      .map(({ name, ...stock }): [string, StockNow] => [
        name,
        { ...stock, volume: 0, rev: 0, lastPriceCents: stock.priceCents },
      ]),
  );
  const insertOrders = prepareInsert(client, "ledger", orderColumns);
  const setStock = client.prepare<[number, number, number, string]>(
    "UPDATE stocks SET quantity = ?, volume = ?, rev = ? WHERE name = ?",
  );
  const setRegister = client.prepare<[number, number, string, number, number]>(
    "UPDATE register SET term = ?, leader = 0, head = ?, life = ?, first_term = ?, lease_ms = ?, ended_cleanly = 0",
  );

  const replay = client.transaction((): Replayed => {
    if (client.prepare("SELECT 1 FROM ledger LIMIT 1").get()) throw new ReplayError("the ledger has orders already");
    let head = 0;
    let lastTerm = used.term;
    for (const order of orders) {
      const { id, name, term } = order;
      if (id !== head + 1) throw new ReplayError(`order ${head + 1} is missing: the next one is ${id}`);
      move(stocks.get(name), order);
      insertOrders([orderValues(order)]);
      head = id;
      lastTerm = Math.max(lastTerm, term);
    }
    for (const [name, { quantity, volume, rev, priceCents, lastPriceCents }] of stocks) {
      if (rev === 0) continue;
      if (priceCents !== lastPriceCents) {
        throw wrongStocks(`order ${rev} of ${name} has the price ${lastPriceCents} cents, the stock ${priceCents}`);
      }
      setStock.run(quantity, volume, rev, name);
    }
    const term = unusedTerm(lastTerm, nowMs);
    setRegister.run(term, head, crypto.randomUUID(), term, used.leaseMs);
    return { head, term };
  });
  return replay.immediate();
}

function move(stock: StockNow | undefined, { id, name, type, quantity, priceCents }: Order): void {
  if (!stock) throw wrongStocks(`order ${id} is of ${JSON.stringify(name)}, which is no stock`);
  if (type === "buy" && quantity > stock.quantity) {
    throw wrongStocks(`order ${id} buys ${quantity} of ${name}, of which there were only ${stock.quantity}`);
  }
  stock.quantity += type === "buy" ? -quantity : quantity;
  if (type !== "restock") stock.volume += quantity;
  stock.rev = id;
  stock.lastPriceCents = priceCents;
}

function wrongStocks(what: string): ReplayError {
  return new ReplayError(`${what}: are these the stocks that the catalog began with?`);
}
