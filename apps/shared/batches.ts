/**
 * Trades, outcomes and orders as the text in which they travel between processes.
 *
 * A batch is one JSON text, which the runtime itself reads and writes (docs/decisions/0006-batches-travel-as-json.md).
 * A single order is a batch of one. Every received field is checked: anything else is a BazaarError INVALID_REQUEST.
 *
 * Who only passes a batch on doesn't read it. The leader passes trades to the catalog and outcomes back as they came, and
 * the catalog's text of the orders to every follower.
 *
 * Other programs of the same `messagesVersion` (proto/version.ts) read these texts: another field, or another meaning
 * of one, is another version.
 */

import type { Order, Outcome, Trade } from "./domain.ts";
import { BazaarError } from "./errors.ts";

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

/** Orders with ascending ids, and the text that they came with or that is written when it is first asked for. */
export class OrderBatch {
  static readonly empty = new OrderBatch([], "");
  readonly rows: readonly Order[];
  #text: string | undefined;

  constructor(rows: readonly Order[], text?: string) {
    this.rows = rows;
    this.#text = text;
  }

  /** Reads and checks the text, and keeps it. */
  static read(text: string): OrderBatch {
    return text === "" ? OrderBatch.empty : new OrderBatch(unpackOrders(text), text);
  }

  /** Joins batches that follow one another; their texts aren't written again. */
  static join(batches: readonly OrderBatch[]): OrderBatch {
    const filled = batches.filter(({ rows }) => rows.length > 0);
    if (filled.length <= 1) return filled[0] ?? OrderBatch.empty;
    const rows = filled.flatMap((batch) => batch.rows);
    return new OrderBatch(rows, `[${filled.map(({ text }) => text.slice(1, -1)).join()}]`);
  }

  /** 0 if it is empty. */
  get firstId(): number {
    return this.rows[0]?.id ?? 0;
  }

  /** 0 if it is empty. */
  get lastId(): number {
    return this.rows.at(-1)?.id ?? 0;
  }

  get text(): string {
    return (this.#text ??= packOrders(this.rows));
  }

  /** The orders with a greater id. */
  after(id: number): OrderBatch {
    if (this.firstId > id) return this;
    return new OrderBatch(this.rows.filter((order) => order.id > id));
  }
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
