/** Compares orders with those of which they should be a prefix (I3), page by page, wherever both are stored. */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Ledger } from "./ledger.ts";
import { orderPages } from "./order-pages.ts";
import type { LedgerStore } from "./store.ts";

/** Orders, and how messages name where they are. */
export interface OrderSource extends Pick<Ledger, "ordersAfter"> {
  readonly name: string;
}

/** The orders of a ledger. Each page is read from a snapshot of its own: a long one delays SQLite's checkpoints. */
export function ordersOf(store: LedgerStore): OrderSource {
  return {
    name: store.name,
    ordersAfter: (after, limit) => store.read((view) => view.ordersAfter(after, limit)),
  };
}

/** The first difference between the orders of `copy` up to `lastId` and those of `original`; `undefined` if there is none. */
export async function prefixDifference(
  copy: OrderSource,
  lastId: number,
  original: OrderSource,
): Promise<string | undefined> {
  let id = 0;
  for await (const page of orderPages(copy, 0, lastId)) {
    const originals = await original.ordersAfter(id, page.length);
    for (const [index, order] of page.entries()) {
      if (order.id !== id + 1) return `${copy.name} lacks order ${id + 1}, and goes on to order ${lastId}`;
      const other = originals[index];
      if (!other) return `${copy.name} goes on to order ${lastId}, but ${original.name} ends at order ${id}`;
      const difference = differenceOf(order, other, copy.name, original.name);
      if (difference !== undefined) return difference;
      id = order.id;
    }
  }
  return id === lastId ? undefined : `${copy.name} lacks order ${id + 1}, and goes on to order ${lastId}`;
}

const columns = [
  ["key", "key"],
  ["name", "name"],
  ["type", "type"],
  ["quantity", "quantity"],
  ["price_cents", "priceCents"],
  ["term", "term"],
  ["created_at", "createdAt"],
] as const;

function differenceOf(copy: Order, original: Order, copyName: string, originalName: string): string | undefined {
  if (original.id !== copy.id) return `${copyName} holds order ${copy.id}, ${originalName} doesn't`;
  const found = columns.find(([, field]) => copy[field] !== original[field]);
  if (!found) return undefined;
  const [column, field] = found;
  const [value, other] = [copy, original].map((order) => JSON.stringify(order[field]));
  return `order ${copy.id}, column ${column}: ${copyName} has ${value}, ${originalName} has ${other}`;
}
