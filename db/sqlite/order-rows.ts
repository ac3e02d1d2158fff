/**
 * An order as a row, the same in the ledger and on every replica.
 *
 * Separate from `order-columns.ts`, so that no service loads a query builder.
 */

import type { Order } from "@stock-bazaar/shared/domain";

export const orderColumns = ["id", "key", "name", "type", "quantity", "price_cents", "term", "created_at"] as const;

/** The SELECT list that reads rows as `Order`. */
export const orderFields = "id, key, name, type, quantity, price_cents AS priceCents, term, created_at AS createdAt";

/** The values of an order, in the order of `orderColumns`. */
export function orderValues({
  id,
  key,
  name,
  type,
  quantity,
  priceCents,
  term,
  createdAt,
}: Order): (string | number)[] {
  return [id, key, name, type, quantity, priceCents, term, createdAt];
}
