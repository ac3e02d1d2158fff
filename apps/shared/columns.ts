/**
 * Trades, outcomes and orders as they travel: by columns, not by rows. A row of eight fields costs the generic codec some
 * microseconds on each side, at every hop; a column is one piece of bytes for a whole batch. Every row arrives as it
 * was sent, whatever its texts hold; a message whose columns don't fit together is a BazaarError.
 */

import type { OrderColumns, OutcomeColumns, Texts, TradeColumns } from "@stock-bazaar/proto/generated/bazaar";
import type { Order, OrderType, Outcome, RejectionReason, Trade, TradeType } from "./domain.ts";
import { BazaarError } from "./errors.ts";

const orderTypes = ["buy", "sell", "restock"] as const satisfies readonly OrderType[];
/** The kinds of outcomes; those in the middle are rejections. */
const accepted = 0;
const reasons: readonly (RejectionReason | undefined)[] = [undefined, "INVALID_STOCKNAME", "INSUFFICIENT_QUANTITY"];
const keyReused = 3;
const volumeFull = 4;

export function packTrades(trades: readonly Trade[]): TradeColumns {
  const words = new Words();
  const types = new Uint8Array(trades.length);
  const names = new Uint32Array(trades.length);
  const quantities = new Uint32Array(trades.length);
  let row = 0;
  for (const { name, type, quantity } of trades) {
    names[row] = words.indexOf(name);
    types[row] = orderTypes.indexOf(type);
    quantities[row] = quantity;
    row += 1;
  }
  return {
    keys: packTexts(trades.map(({ key }) => key)),
    requestIds: packTexts(trades.map(({ requestId }) => requestId)),
    words: words.pack(),
    names: bytesOf(names),
    types,
    quantities: bytesOf(quantities),
  };
}

export function unpackTrades(columns: TradeColumns | undefined): Trade[] {
  if (!columns) return [];
  const keys = unpackTexts(columns.keys);
  const requestIds = unpackTexts(columns.requestIds);
  const words = unpackTexts(columns.words);
  const names = uint32s(columns.names);
  const { types } = columns;
  const quantities = uint32s(columns.quantities);
  requireEqual([keys, requestIds, names, types, quantities]);
  return keys.map((key, row) => {
    const type = at(orderTypes, types[row]);
    const quantity = at(quantities, row);
    if (type === "restock" || key === "" || quantity < 1)
      throw new BazaarError("INVALID_REQUEST", "a trade needs a key, a type and a positive quantity");
    return {
      key,
      name: at(words, names[row]),
      type: type satisfies TradeType,
      quantity,
      requestId: at(requestIds, row),
    };
  });
}

export function packOutcomes(outcomes: readonly Outcome[]): OutcomeColumns {
  const kinds = new Uint8Array(outcomes.length);
  const replayed = new Uint8Array(outcomes.length);
  const orderIds = new Float64Array(outcomes.length);
  let row = 0;
  for (const outcome of outcomes) {
    switch (outcome.status) {
      case "accepted":
        orderIds[row] = outcome.orderId;
        break;
      case "rejected":
        kinds[row] = reasons.indexOf(outcome.reason);
        break;
      case "key-reused":
        kinds[row] = keyReused;
        break;
      case "volume-full":
        kinds[row] = volumeFull;
    }
    if ("replayed" in outcome && outcome.replayed) replayed[row] = 1;
    row += 1;
  }
  return { kinds, replayed, orderIds: bytesOf(orderIds) };
}

export function unpackOutcomes(columns: OutcomeColumns | undefined): Outcome[] {
  if (!columns) return [];
  const { kinds, replayed: replays } = columns;
  const orderIds = float64s(columns.orderIds);
  requireEqual([kinds, replays, orderIds]);
  return Array.from(kinds, (kind, row): Outcome => {
    const replayed = replays[row] === 1;
    if (kind === accepted) return { status: "accepted", orderId: at(orderIds, row), replayed };
    if (kind === keyReused) return { status: "key-reused" };
    if (kind === volumeFull) return { status: "volume-full" };
    const reason = at(reasons, kind);
    if (reason === undefined) throw malformed();
    return { status: "rejected", reason, replayed };
  });
}

/** The ids of the orders must be consecutive: only the first of them travels. */
export function packOrders(orders: readonly Order[]): OrderColumns | undefined {
  const first = orders[0];
  if (!first) return undefined;
  const count = orders.length;
  const words = new Words();
  const types = new Uint8Array(count);
  const [names, createdAts, quantities] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
  const [pricesCents, terms] = [new Float64Array(count), new Float64Array(count)];
  let row = 0;
  for (const order of orders) {
    if (order.id !== first.id + row)
      throw new BazaarError("DIVERGED", `order ${first.id + row} is missing before order ${order.id}`);
    names[row] = words.indexOf(order.name);
    createdAts[row] = words.indexOf(order.createdAt);
    types[row] = orderTypes.indexOf(order.type);
    quantities[row] = order.quantity;
    pricesCents[row] = order.priceCents;
    terms[row] = order.term;
    row += 1;
  }
  return {
    firstId: first.id,
    keys: packTexts(orders.map(({ key }) => key)),
    words: words.pack(),
    names: bytesOf(names),
    createdAts: bytesOf(createdAts),
    types,
    quantities: bytesOf(quantities),
    pricesCents: bytesOf(pricesCents),
    terms: bytesOf(terms),
  };
}

export function unpackOrders(columns: OrderColumns | undefined): Order[] {
  if (!columns) return [];
  const { firstId, types } = columns;
  const keys = unpackTexts(columns.keys);
  const words = unpackTexts(columns.words);
  const names = uint32s(columns.names);
  const createdAts = uint32s(columns.createdAts);
  const quantities = uint32s(columns.quantities);
  const pricesCents = float64s(columns.pricesCents);
  const terms = float64s(columns.terms);
  requireEqual([keys, names, createdAts, types, quantities, pricesCents, terms]);
  return keys.map((key, row) => ({
    id: firstId + row,
    key,
    name: at(words, names[row]),
    type: at(orderTypes, types[row]),
    quantity: at(quantities, row),
    priceCents: at(pricesCents, row),
    term: at(terms, row),
    createdAt: at(words, createdAts[row]),
  }));
}

/** Texts that come again and again, each written once. */
class Words {
  readonly #words: string[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(word: string): number {
    let index = this.#indexes.get(word);
    if (index === undefined) {
      index = this.#words.push(word) - 1;
      this.#indexes.set(word, index);
    }
    return index;
  }

  pack(): Texts {
    return packTexts(this.#words);
  }
}

function packTexts(texts: readonly string[]): Texts {
  return { text: texts.join(""), lengths: bytesOf(Uint32Array.from(texts, ({ length }) => length)) };
}

function unpackTexts(texts: Texts | undefined): string[] {
  if (!texts) return [];
  const { text, lengths } = texts;
  let end = 0;
  const unpacked = Array.from(uint32s(lengths), (length) => {
    const start = end;
    end += length;
    return text.slice(start, end);
  });
  if (end !== text.length) throw malformed();
  return unpacked;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Numbers travel with their lowest byte first, as every processor that Bun runs on has them in memory. */
function uint32s(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(aligned(bytes, Uint32Array.BYTES_PER_ELEMENT));
}

/** Exact for every integer up to 2^53. */
function float64s(bytes: Uint8Array): Float64Array {
  return new Float64Array(aligned(bytes, Float64Array.BYTES_PER_ELEMENT));
}

/** A copy: bytes in a message begin anywhere, numbers in memory don't. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const copy = new Uint8Array(bytes);
  if (copy.length % size !== 0) throw malformed();
  return copy.buffer;
}

function requireEqual(columns: readonly { readonly length: number }[]): void {
  if (columns.some(({ length }) => length !== columns[0]?.length)) throw malformed();
}

function at<Value>(values: { readonly [index: number]: Value }, index: number | undefined): Value {
  const value = index === undefined ? undefined : values[index];
  if (value === undefined) throw malformed();
  return value;
}

function malformed(): BazaarError {
  return new BazaarError("INVALID_REQUEST", "a message whose columns don't fit together");
}
