/**
 * Computes the initial stocks: today's quantities with all orders undone (I1). If the orders would have taken a stock
 * below zero on the way, the files of stocks and orders don't belong together.
 */

import { stockVolumeMax, tradeQuantityMax } from "@stock-bazaar/shared/domain";
import type { StockOfFile } from "../stock-file.ts";
import { ImportError } from "./import-error.ts";
import type { Naming, NumberedLine } from "./numbering.ts";

export interface Beginning {
  readonly stock: StockOfFile;
  /** The initial quantity. */
  readonly initial: number;
  /** Units bought and sold, without restocks. */
  readonly volume: number;
  readonly orders: number;
}

/** Returns one element for each of `stocks`, in the same order. An order's `stock` is an index into `stocks`. */
export function findBeginnings(stocks: readonly StockOfFile[], orders: Iterable<NumberedLine>): Beginning[] {
  const sums = stocks.map(({ quantity }) => ({ initial: quantity, volume: 0, orders: 0 }));
  for (const { stock, type, quantity } of orders) {
    const sum = sums[stock];
    if (!sum) continue;
    sum.initial += type === "buy" ? quantity : -quantity;
    if (type !== "restock") sum.volume += quantity;
    sum.orders += 1;
  }
  return stocks.map((stock, index) => ({ stock, ...(sums[index] ?? { initial: 0, volume: 0, orders: 0 }) }));
}

/** Throws an ImportError that names the first line whose order was impossible. */
export function requirePossible(
  beginnings: readonly Beginning[],
  orders: Iterable<NumberedLine>,
  naming: Naming,
): void {
  const now = beginnings.map(({ initial }) => ({ quantity: initial, volume: 0 }));
  for (const order of orders) {
    const beginning = beginnings[order.stock];
    const stock = now[order.stock];
    if (!beginning || !stock) continue;
    const { name, quantity: today, place } = beginning.stock;
    const wrong = (what: string) =>
      new ImportError(`${naming.place(order)}: order ${order.id}, ${naming.what(order)}: ${what}`);
    if (beginning.initial < 0 || beginning.initial > tradeQuantityMax) {
      throw wrong(
        `${name} must have begun with 0 to ${tradeQuantityMax} units (got ${beginning.initial}, from the ${today} of ${place} and its ${beginning.orders} orders)`,
      );
    }
    const before = stock.quantity;
    stock.quantity += order.type === "buy" ? -order.quantity : order.quantity;
    if (order.type !== "restock") stock.volume += order.quantity;
    if (stock.quantity < 0) {
      throw wrong(
        `there must have been ${order.quantity} of ${name} to buy (got ${before}, from the ${today} of ${place} and all its orders)`,
      );
    }
    if (stock.volume > stockVolumeMax)
      throw wrong(`the volume of ${name} must be at most ${stockVolumeMax} (got ${stock.volume})`);
  }
}
