/** Stocks and orders as they are listed, in replies and in events. */

import type { Order, Stock } from "@stock-bazaar/shared/domain";

/** Cents as a number that prints with at most two decimals: the double nearest to them. */
export function priceOf(priceCents: number): number {
  return priceCents / 100;
}

export function describeStock({ name, priceCents, quantity, volume }: Stock) {
  return { name, price: priceOf(priceCents), quantity, volume };
}

export function describeOrder({ id, name, type, quantity, priceCents, createdAt }: Order) {
  return { number: id, name, type, quantity, price: priceOf(priceCents), created_at: createdAt };
}
