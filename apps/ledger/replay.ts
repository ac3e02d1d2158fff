/**
 * Makes a ledger again out of orders: the ledger is their sequence, and what the stocks began with, moved by every order in
 * turn, is what they hold now. Pure: a store reads and writes, this says what.
 *
 * What no order tells is gone: the rejections, whose keys are decided anew, and orders that had reached no replica, which
 * nobody was told of (R5).
 */

import type { NewStock, Order, Stock } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";

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

/** What is known of the ledger that is replaced. */
export interface Used {
  /** No term up to this one comes again. */
  readonly term: number;
  /** The longest lease that it may have given; 0: not known. */
  readonly leaseMs: number;
}

export const nothingUsed: Used = { term: 0, leaseMs: 0 };

interface StockNow {
  quantity: number;
  volume: number;
  rev: number;
  readonly priceCents: number;
  lastPriceCents: number;
}

/** Orders are added in their sequence; nothing may be kept of a replay that has thrown. */
export class Replay {
  readonly #stocks: ReadonlyMap<string, StockNow>;
  #head = 0;
  #lastTerm: number;

  /** `began`: what every stock began with. */
  constructor(began: Iterable<NewStock>, used: Used) {
    this.#stocks = new Map(
      Array.from(began, ({ name, quantity, priceCents }): [string, StockNow] => [
        name,
        { quantity, priceCents, volume: 0, rev: 0, lastPriceCents: priceCents },
      ]),
    );
    this.#lastTerm = used.term;
  }

  /** Throws a ReplayError unless it has the next number, and its stock has what it moves. */
  add(order: Order): void {
    const { id, name, term } = order;
    if (id !== this.#head + 1) throw new ReplayError(`order ${this.#head + 1} is missing: the next one is ${id}`);
    move(this.#stocks.get(name), order);
    this.#head = id;
    this.#lastTerm = Math.max(this.#lastTerm, term);
  }

  /** The stocks that were traded, as they are now. Throws a ReplayError if one has another price than its last order. */
  end(nowMs: number): Replayed & { readonly stocks: readonly Omit<Stock, "priceCents">[] } {
    const stocks: Omit<Stock, "priceCents">[] = [];
    for (const [name, { quantity, volume, rev, priceCents, lastPriceCents }] of this.#stocks) {
      if (rev === 0) continue;
      if (priceCents !== lastPriceCents) {
        throw wrongStocks(`order ${rev} of ${name} has the price ${lastPriceCents} cents, the stock ${priceCents}`);
      }
      stocks.push({ name, quantity, volume, rev });
    }
    return { head: this.#head, term: unusedTerm(this.#lastTerm, nowMs), stocks };
  }
}

/**
 * A term that was acquired, but in which nothing was traded, is in no order, and processes that run remember it and never go
 * back. An earlier rebuild, of which no order may tell either, began at the millisecond of then; as no catalog gives a term
 * each millisecond, none of its terms has reached that of now.
 */
function unusedTerm(lastTerm: number, nowMs: number): number {
  return Math.max(lastTerm + termsSkipped, nowMs);
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
