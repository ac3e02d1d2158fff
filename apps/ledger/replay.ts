/**
 * Rebuilds a ledger from its orders: applying every order in turn to the initial stocks gives the current stocks. An old
 * copy of a ledger is continued in the same way, from its stocks. This module is pure: a store reads the orders and writes
 * the results.
 *
 * Two things can't be rebuilt: the rejections, so their keys are decided anew, and orders that no replica had stored,
 * which were never acknowledged (R5).
 */

import type { NewStock, Order, Stock } from "@stock-bazaar/shared/domain";
import { SetupError } from "@stock-bazaar/shared/errors";

/** An allowance for terms that were used after the last known one. */
const termsSkipped = 1_000_000;

export interface Replayed {
  /** The number of orders, which is also the id of the last. */
  readonly head: number;
  /** The register's term, with which the new life begins. The next leader gets the term after it. */
  readonly term: number;
}

/** The orders don't follow from the initial stocks. */
export class ReplayError extends SetupError {
  constructor(message: string) {
    super(message);
    this.name = "ReplayError";
  }
}

/** What is known of the ledger that is being replaced. */
export interface Used {
  /** The last used term. No term up to it may be used again. */
  readonly term: number;
  /** The longest lease that it may have granted; 0 if unknown. */
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

/** A ledger that is continued where it ends. */
export interface Continued {
  readonly head: number;
}

/** Replays orders in their sequence. After an error, the caller must discard everything that the replay led to. */
export class Replay {
  readonly #stocks: ReadonlyMap<string, StockNow>;
  /** The id after which the orders are replayed. */
  readonly #after: number;
  readonly #isContinued: boolean;
  #head: number;
  #lastTerm: number;

  /** Begins with the initial stocks; with `continued`, with the stocks as they are at its head. */
  constructor(stocks: Iterable<NewStock & Partial<Stock>>, used: Used, continued?: Continued) {
    this.#stocks = new Map(
      Array.from(stocks, ({ name, quantity, priceCents, volume = 0, rev = 0 }): [string, StockNow] => [
        name,
        { quantity, priceCents, volume, rev, lastPriceCents: priceCents },
      ]),
    );
    this.#lastTerm = used.term;
    this.#after = continued?.head ?? 0;
    this.#isContinued = continued !== undefined;
    this.#head = this.#after;
  }

  /** Applies one order. Throws a ReplayError unless it has the next id and its stock has enough units. */
  add(order: Order): void {
    const { id, name, term } = order;
    if (id !== this.#head + 1) throw new ReplayError(`the next order must be ${this.#head + 1} (got ${id})`);
    move(this.#stocks.get(name), order);
    this.#head = id;
    this.#lastTerm = Math.max(this.#lastTerm, term);
  }

  /**
   * Returns the traded stocks as they are now. Throws a ReplayError unless each initial stock has the price of its last
   * order. In a ledger that is continued, a person may have changed the price since: there the last order's price counts.
   */
  end(nowMs: number): Replayed & { readonly stocks: readonly Stock[] } {
    const stocks: Stock[] = [];
    for (const [name, { quantity, volume, rev, priceCents, lastPriceCents }] of this.#stocks) {
      if (rev <= this.#after) continue;
      if (priceCents !== lastPriceCents && !this.#isContinued) {
        throw wrongStocks(
          `the price of ${name} must be that of order ${rev}, ${lastPriceCents} cents (got ${priceCents})`,
        );
      }
      stocks.push({ name, priceCents: lastPriceCents, quantity, volume, rev });
    }
    return { head: this.#head, term: unusedTerm(this.#lastTerm, nowMs), stocks };
  }
}

/**
 * A term above every term that was ever used. The orders don't show all of them: a leader may have acquired a term
 * without an order, and running processes refuse to go back behind it. `termsSkipped` covers such terms. An earlier
 * rebuild, which may have left no order either, began with its time in milliseconds. A catalog gives out less than one
 * term per millisecond, so all terms since then are below `nowMs`.
 */
export function unusedTerm(lastTerm: number, nowMs: number): number {
  return Math.max(lastTerm + termsSkipped, nowMs);
}

function move(stock: StockNow | undefined, { id, name, type, quantity, priceCents }: Order): void {
  if (!stock) throw wrongStocks(`order ${id} trades ${JSON.stringify(name)}, which is not a stock`);
  if (type === "buy" && quantity > stock.quantity) {
    throw wrongStocks(`order ${id} buys ${quantity} of ${name}, but there were only ${stock.quantity}`);
  }
  stock.quantity += type === "buy" ? -quantity : quantity;
  if (type !== "restock") stock.volume += quantity;
  stock.rev = id;
  stock.lastPriceCents = priceCents;
}

function wrongStocks(what: string): ReplayError {
  return new ReplayError(`${what}: are these the catalog's initial stocks?`);
}
