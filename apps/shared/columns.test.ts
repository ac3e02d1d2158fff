import { CatalogService, OrdersService, type TradeColumns } from "@stock-bazaar/proto/generated/bazaar";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOf, tradeOf } from "../../test/support/builders.ts";
import { packOrders, packOutcomes, packTrades, unpackOrders, unpackOutcomes, unpackTrades } from "./columns.ts";
import type { Order, Outcome, Trade } from "./domain.ts";
import { BazaarError } from "./errors.ts";
import { orderFromMessage } from "./wire.ts";

const { apply, ordersAfter } = CatalogService;
const { placeTrades } = OrdersService;

/** Through the codec and back, as between two processes. */
const sentTrades = (trades: readonly Trade[]) =>
  unpackTrades(
    apply.requestDeserialize(apply.requestSerialize({ sequence: 1, term: 3, trades: packTrades(trades), traces: [] }))
      .trades,
  );
const sentOrders = (orders: readonly Order[]) =>
  unpackOrders(ordersAfter.responseDeserialize(ordersAfter.responseSerialize({ orders: packOrders(orders) })).orders);
const sentOutcomes = (outcomes: readonly Outcome[]) =>
  unpackOutcomes(
    placeTrades.responseDeserialize(placeTrades.responseSerialize({ sequence: 1, outcomes: packOutcomes(outcomes) }))
      .outcomes,
  );

describe("what has travelled is the same as before", () => {
  test("every outcome", () => {
    const outcomes: readonly Outcome[] = [
      { status: "accepted", orderId: 1, replayed: false },
      { status: "accepted", orderId: Number.MAX_SAFE_INTEGER, replayed: true },
      { status: "rejected", reason: "INVALID_STOCKNAME", replayed: false },
      { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: true },
      { status: "key-reused" },
      { status: "volume-full" },
    ];
    expect(sentOutcomes(outcomes)).toEqual(outcomes);
  });

  test("nothing", () => {
    expect([sentTrades([]), sentOrders([]), sentOutcomes([])]).toEqual([[], [], []]);
  });

  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
  const quantity = fc.integer({ min: 1, max: 2_147_483_647 });
  const safe = fc.integer({ min: 1, max: 2 ** 53 - 100 });

  test("every trade, whatever its texts", () => {
    const trade = fc.record({ key, name: text, type: fc.constantFrom("buy", "sell"), quantity, requestId: text });
    fc.assert(
      fc.property(fc.array(trade), (trades) => {
        expect(sentTrades(trades)).toEqual(trades);
      }),
    );
    const names = ["GameStart", "__proto__", "'; DROP TABLE stocks; --", "🦊", "a\nb\0c", "x".repeat(10_000)];
    const trades = names.map((name, index) => tradeOf(`k${index}`, { name }));
    expect(sentTrades(trades)).toEqual(trades);
  });

  test("every order, with numbers of any size", () => {
    const row = fc.record({
      key,
      name: text,
      type: fc.constantFrom("buy", "sell", "restock"),
      quantity,
      priceCents: safe,
      term: safe,
      createdAt: text,
    });
    fc.assert(
      fc.property(safe, fc.array(row, { maxLength: 50 }), (firstId, rows) => {
        const orders = rows.map((order, index) => ({ id: firstId + index, ...order }));
        expect(sentOrders(orders)).toEqual(orders);
      }),
    );
  });
});

describe("what makes no sense is refused", () => {
  const refused = (action: () => unknown) => expect(action).toThrow(BazaarError);

  test.each([
    { name: "no key", trade: tradeOf("") },
    { name: "no quantity", trade: tradeOf("k", { quantity: 0 }) },
  ])("a trade with $name", ({ trade }) => refused(() => sentTrades([trade])));

  test("a trade of an unknown type, or of the house", () => {
    const columns = packTrades([tradeOf("k")]);
    for (const type of [2, 3, 255]) refused(() => unpackTrades({ ...columns, types: new Uint8Array([type]) }));
  });

  test("columns of different lengths, pointers to no word, texts that are longer or shorter than they say", () => {
    const columns = packTrades([tradeOf("k1"), tradeOf("k2")]);
    const keys = columns.keys ?? { text: "", lengths: new Uint8Array() };
    const wrong: Partial<TradeColumns>[] = [
      { types: new Uint8Array(1) },
      { names: new Uint8Array(4) },
      { names: new Uint8Array(7) },
      { names: new Uint8Array([0, 0, 0, 0, 9, 0, 0, 0]) },
      { quantities: new Uint8Array() },
      { keys: { ...keys, text: `${keys.text}!` } },
      { keys: { ...keys, text: "k" } },
      { keys: { ...keys, lengths: new Uint8Array([255, 255, 255, 255, 1, 0, 0, 0]) } },
    ];
    for (const changes of wrong) refused(() => unpackTrades({ ...columns, ...changes }));
    refused(() => unpackTrades({ ...columns, keys: undefined }));
  });

  test("an outcome of an unknown kind", () => {
    refused(() => unpackOutcomes({ ...packOutcomes([{ status: "key-reused" }]), kinds: new Uint8Array([5]) }));
  });

  test("orders with a gap, which could only be sent as others", () => {
    refused(() => packOrders([orderOf(1), orderOf(3)]));
    refused(() => packOrders([orderOf(2), orderOf(1)]));
  });

  test("an order of an unknown type", () => {
    const columns = packOrders([orderOf(1)]);
    refused(() => unpackOrders(columns && { ...columns, types: new Uint8Array([3]) }));
    refused(() => orderFromMessage({ ...orderOf(1), type: "gift" }));
  });
});
