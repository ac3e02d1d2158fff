/**
 * The wire format of trades, outcomes and orders.
 *
 * A batch is one JSON text, which the runtime itself reads and writes (docs/decisions/0006-batches-travel-as-json.md).
 * A single order is a batch of one. Every received field is checked: anything else is a BazaarError INVALID_REQUEST.
 *
 * Other programs of the same `messagesVersion` (proto/version.ts) read these texts: another field, or another meaning
 * of one, is another version.
 */

import type { Order, Outcome, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** A row from another process, before its fields are checked. */
type Unread = Readonly<Record<string, unknown>>;

export function packTrades(trades: readonly Trade[]): string {
  return pack(trades);
}

export function unpackTrades(text: string): Trade[] {
  return unpack<Trade>(
    text,
    ({ key, name, type, quantity, requestId }) =>
      isText(key) && key !== "" && isText(name) && isTradeType(type) && isCount(quantity) && isText(requestId),
  );
}

export function packOutcomes(outcomes: readonly Outcome[]): string {
  return pack(outcomes);
}

export function unpackOutcomes(text: string): Outcome[] {
  return unpack<Outcome>(text, ({ status, orderId, reason, replayed }) => {
    switch (status) {
      case "accepted":
        return isCount(orderId) && typeof replayed === "boolean";
      case "rejected":
        return (reason === "INVALID_STOCKNAME" || reason === "INSUFFICIENT_QUANTITY") && typeof replayed === "boolean";
      default:
        return status === "key-reused" || status === "volume-full";
    }
  });
}

export function packOrders(orders: readonly Order[]): string {
  return pack(orders);
}

export function unpackOrders(text: string): Order[] {
  return unpack<Order>(
    text,
    ({ id, key, name, type, quantity, priceCents, term, createdAt }) =>
      isCount(id) &&
      isText(key) &&
      isText(name) &&
      (isTradeType(type) || type === "restock") &&
      isCount(quantity) &&
      isCount(priceCents) &&
      isCount(term) &&
      isText(createdAt),
  );
}

export function packOrder(order: Order | undefined): string {
  return pack(order ? [order] : []);
}

export function unpackOrder(text: string): Order | undefined {
  return atMostOne(unpackOrders(text));
}

/**
 * Decodes the last order of a caller.
 *
 * Only its id and term are checked. The receiver compares the rest with its own row of that id, and an invalid field
 * makes the rows differ (DIVERGED).
 */
export function unpackLast(text: string): Order | undefined {
  return atMostOne(unpack<Order>(text, ({ id, term }) => isCount(id) && isCount(term)));
}

function atMostOne(orders: readonly Order[]): Order | undefined {
  if (orders.length > 1) throw malformed();
  return orders[0];
}

/** An empty batch encodes as an empty string: most messages to a follower that is up to date hold no orders. */
function pack(rows: readonly object[]): string {
  return rows.length === 0 ? "" : JSON.stringify(rows);
}

function unpack<Row>(text: string, isRow: (row: Unread) => boolean): Row[] {
  if (text === "") return [];
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (!Array.isArray(rows)) throw malformed();
  for (const row of rows as unknown[]) {
    if (typeof row !== "object" || row === null || !isRow(row as Unread)) throw malformed();
  }
  return rows as Row[];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTradeType(value: unknown): boolean {
  return value === "buy" || value === "sell";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function malformed(): BazaarError {
  return new BazaarError(
    "INVALID_REQUEST",
    "a batch must be a JSON array of rows with all their fields (got something else)",
  );
}
