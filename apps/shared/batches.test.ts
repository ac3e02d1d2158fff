import { CatalogService, OrdersService } from "@stock-bazaar/proto/generated/bazaar";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOf, tradeOf } from "../../test/support/builders.ts";
import {
  packOrder,
  packOrders,
  packOutcomes,
  packTrades,
  unpackLast,
  unpackOrder,
  unpackOrders,
  unpackOutcomes,
  unpackTrades,
} from "./batches.ts";
import type { Order, Outcome, Trade } from "./domain.ts";
import { BazaarError } from "./errors.ts";

const { apply, ordersAfter } = CatalogService;
const { placeTrades } = OrdersService;

/** Through the codec and back, as between two processes. */
const sentTrades = (trades: readonly Trade[]) =>
  unpackTrades(
    apply.requestDeserialize(
      apply.requestSerialize({
        sequence: 1,
        term: 3,
        last: "",
        calls: [{ trades: packTrades(trades), count: trades.length, minted: false }],
        traces: [],
      }),
    ).calls[0]?.trades ?? "",
  );
const sentOrders = (orders: readonly Order[]) =>
  unpackOrders(ordersAfter.responseDeserialize(ordersAfter.responseSerialize({ orders: packOrders(orders) })).orders);
const sentOutcomes = (outcomes: readonly Outcome[]) =>
  unpackOutcomes(
    placeTrades.responseDeserialize(
      placeTrades.responseSerialize({ sequence: 1, outcomes: packOutcomes(outcomes), head: 1, life: "life" }),
    ).outcomes,
  );

describe("encoding and decoding returns the same", () => {
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

  test("one order, and none", () => {
    for (const order of [orderOf(7), undefined]) {
      expect(unpackOrder(packOrder(order))).toEqual(order);
      expect(unpackLast(packOrder(order))).toEqual(order);
    }
    expect(packOrder(orderOf(7))).toBe(packOrders([orderOf(7)]));
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

/** Other programs rely on each of these lines: a change requires a higher `messagesVersion` (proto/version.ts). */
test("the texts are those of this version", () => {
  expect(packTrades([tradeOf("k", { name: "GameStart", type: "sell", quantity: 2, requestId: "r" })])).toBe(
    '[{"key":"k","name":"GameStart","type":"sell","quantity":2,"requestId":"r"}]',
  );
  expect(
    packOutcomes([
      { status: "accepted", orderId: 1, replayed: false },
      { status: "rejected", reason: "INVALID_STOCKNAME", replayed: true },
      { status: "key-reused" },
      { status: "volume-full" },
    ]),
  ).toBe(
    '[{"status":"accepted","orderId":1,"replayed":false},' +
      '{"status":"rejected","reason":"INVALID_STOCKNAME","replayed":true},' +
      '{"status":"key-reused"},{"status":"volume-full"}]',
  );
  const row = {
    id: 1,
    key: "k",
    name: "GameStart",
    type: "restock",
    quantity: 2,
    priceCents: 3,
    term: 4,
    createdAt: "t",
  } as const;
  expect(packOrders([row])).toBe(
    '[{"id":1,"key":"k","name":"GameStart","type":"restock","quantity":2,"priceCents":3,"term":4,"createdAt":"t"}]',
  );
});

describe("an invalid batch is refused", () => {
  const refused = (action: () => unknown) => expect(action).toThrow(BazaarError);

  test.each([
    { name: "no key", trade: tradeOf("") },
    { name: "no quantity", trade: tradeOf("k", { quantity: 0 }) },
  ])("a trade with $name", ({ trade }) => refused(() => sentTrades([trade])));

  const changed = (text: string, from: string, to: string) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  };

  test.each([
    { name: "of an unknown type", from: '"sell"', to: '"gift"' },
    { name: "of the house", from: '"sell"', to: '"restock"' },
    { name: "of half a unit", from: '"quantity":1', to: '"quantity":0.5' },
    { name: "of a text as quantity", from: '"quantity":1', to: '"quantity":"1"' },
    { name: "without a name", from: '"name"', to: '"nom"' },
    { name: "without a request id", from: '"requestId"', to: '"id"' },
  ])("a trade $name", ({ from, to }) => {
    const text = packTrades([tradeOf("k", { type: "sell", quantity: 1 })]);
    refused(() => unpackTrades(changed(text, from, to)));
  });

  test.each([
    { name: "of the unknown status", from: "accepted", to: "maybe" },
    { name: "without a number", from: '"orderId":7', to: '"orderId":null' },
    { name: "without a boolean `replayed`", from: "false", to: "0" },
  ])("an outcome $name", ({ from, to }) => {
    const text = packOutcomes([{ status: "accepted", orderId: 7, replayed: false }]);
    refused(() => unpackOutcomes(changed(text, from, to)));
  });

  test("a rejection for an unknown reason", () => {
    refused(() => unpackOutcomes('[{"status":"rejected","reason":"WEATHER","replayed":false}]'));
  });

  test.each(["id", "quantity", "priceCents", "term"])("an order whose %s is no number", (field) => {
    refused(() => unpackOrders(JSON.stringify([{ ...orderOf(1), [field]: "1" }])));
    refused(() => unpackOrders(JSON.stringify([{ ...orderOf(1), [field]: 0 }])));
  });

  test("an order of an unknown type", () => {
    refused(() => unpackOrders(JSON.stringify([{ ...orderOf(1), type: "gift" }])));
    refused(() => unpackOrder(JSON.stringify([{ ...orderOf(1), type: "gift" }])));
  });

  test("two orders where there is at most one", () => {
    const two = packOrders([orderOf(1), orderOf(2)]);
    refused(() => unpackOrder(two));
    refused(() => unpackLast(two));
  });

  test.each(["1", 0, 1.5, null])("a last order with the id or the term %o", (value) => {
    refused(() => unpackLast(JSON.stringify([{ ...orderOf(1), id: value }])));
    refused(() => unpackLast(JSON.stringify([{ ...orderOf(1), term: value }])));
  });

  test.each(["[", "{}", "null", "7", "[null]", "[[]]", '["k"]'])("%s, which is no batch", (text) => {
    for (const unpack of [unpackTrades, unpackOutcomes, unpackOrders, unpackOrder, unpackLast]) {
      refused(() => unpack(text));
    }
  });
});
