/**
 * Trades, outcomes and orders as they travel: a whole batch as one text in JSON, which the runtime itself reads and
 * writes (docs/decisions/0006-batches-travel-as-json.md). What arrives is looked at; a text that holds anything else is a
 * BazaarError.
 */

import type { Order, Outcome, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** As they came from another process: nothing is known of a field yet. */
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

/** Nothing takes no bytes: most messages of a follower that is up to date hold no orders. */
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
  return new BazaarError("INVALID_REQUEST", "a message whose batch makes no sense");
}
