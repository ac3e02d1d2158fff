/** Stocks and orders as JSON, for lists and events. */

import type { Order, Stock } from "@stock-bazaar/shared/domain";

/** Converts cents to a price: the nearest double, which prints with at most two decimals. */
export function priceOf(priceCents: number): number {
  return priceCents / 100;
}

export function describeStock({ name, priceCents, quantity, volume }: Stock) {
  return { name, price: priceOf(priceCents), quantity, volume };
}

export function describeOrder({ id, name, type, quantity, priceCents, createdAt }: Order) {
  return { number: id, name, type, quantity, price: priceOf(priceCents), created_at: createdAt };
}
