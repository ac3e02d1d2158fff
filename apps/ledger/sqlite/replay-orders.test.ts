import { afterEach, beforeEach, expect, test } from "vitest";
import { createSqliteLedger } from "./sqlite-ledger.ts";
import type { Order } from "@stock-bazaar/shared/domain";
import { createdAt, orderOf, ordersOf, tradesOf } from "../../../test/support/builders.ts";
import { ledger, register, stocks } from "./tables.ts";
import { openSeededCatalog } from "../../../test/support/in-memory.ts";
import type { CatalogDatabase } from "./database.ts";
import { replayOrders } from "./replay-orders.ts";
import { queryCatalog } from "./query.ts";

let catalog: CatalogDatabase;

beforeEach(() => {
  catalog = openSeededCatalog();
});

afterEach(() => catalog.close());

const contents = (catalog: CatalogDatabase) => ({
  ledger: queryCatalog(catalog).select().from(ledger).all(),
  stocks: queryCatalog(catalog).select().from(stocks).orderBy(stocks.name).all(),
  register: queryCatalog(catalog).select().from(register).all(),
});

test("a replayed catalog equals the original except for its register and its rejections", async () => {
  const original = openSeededCatalog();
  const written = createSqliteLedger(original);
  await written.acquire({ replica: 2, term: 0, last: undefined });
  const trades = [...tradesOf("a", 5, { name: "FishCo", quantity: 20 }), ...tradesOf("b", 3, { type: "sell" })];
  await written.apply({
    last: undefined,
    term: 1,
    trades: [...trades, ...tradesOf("no", 2, { name: "NoSuchCo" })],
    createdAt,
  });
  await written.restock({ last: undefined, term: 1, quantity: 70, after: "", limit: 10, createdAt });

  const livesBefore = [original, catalog].map((each) => contents(each).register[0]?.life);
  const nowMs = Date.parse(createdAt);
  const replayed = replayOrders(catalog, await written.ordersAfter(0, 100), undefined, nowMs);
  expect(replayed).toEqual({ head: 9, term: nowMs });

  const life = contents(catalog).register[0]?.life;
  expect(livesBefore).not.toContain(life);
  expect(contents(catalog)).toEqual({
    ...contents(original),
    register: [{ term: nowMs, leader: 0, head: 9, life, firstTerm: nowMs, leaseMs: 0, endedCleanly: 0 }],
  });
  original.close();
});

test("a replayed catalog knows its keys, and the next order has the next number", async () => {
  const replayed = replayOrders(catalog, ordersOf(1, 3));
  const again = createSqliteLedger(catalog);
  const { term } = await again.acquire({ replica: 3, term: replayed.term, last: orderOf(3) });
  const { outcomes } = await again.apply({
    term,
    last: orderOf(3),
    trades: [
      { key: "key-2", name: "GameStart", type: "buy", quantity: 1, requestId: "" },
      { key: "new", name: "GameStart", type: "buy", quantity: 1, requestId: "" },
    ],
    createdAt,
  });
  expect(outcomes).toEqual([
    { status: "accepted", orderId: 2, replayed: true },
    { status: "accepted", orderId: 4, replayed: false },
  ]);
});

test("no used term comes again, whether it is known from an order, from the old catalog, or not at all", () => {
  const termOf = (orders: readonly Order[], usedTerm: number, nowMs: number) => {
    const each = openSeededCatalog();
    const { term } = replayOrders(each, orders, { term: usedTerm, leaseMs: 0 }, nowMs);
    each.close();
    return term;
  };
  expect(termOf([orderOf(1, { term: 8 }), orderOf(2, { term: 5 })], 3, 0)).toBe(1_000_008);
  expect(termOf([orderOf(1, { term: 8 })], 20, 0)).toBe(1_000_020);
  const first = termOf([], 0, Date.parse("2026-01-01T00:00:00Z"));
  expect(termOf([], 0, Date.parse("2026-01-01T00:00:01Z"))).toBe(first + 1000);
  // With a clock that was set back.
  expect(termOf([orderOf(1, { term: first + 5 })], 0, 1000)).toBe(first + 1_000_005);
});

test.each<[string, Order[], RegExp]>([
  ["a gap", [orderOf(1), orderOf(3)], /^the next order must be 2 \(got 3\)$/],
  ["a missing beginning", [orderOf(2)], /^the next order must be 1 \(got 2\)$/],
  ["an unknown stock", [orderOf(1), orderOf(2, { name: "Tux" })], /^order 2 trades "Tux", which is not a stock: /],
  [
    "more bought than there was",
    [orderOf(1, { quantity: 60 }), orderOf(2, { quantity: 41 })],
    /^order 2 buys 41 of GameStart, but there were only 40: /,
  ],
  [
    "another price at the end",
    [orderOf(1), orderOf(2, { priceCents: 1600 })],
    /^the price of GameStart must be that of order 2, 1600 cents \(got 1599\): /,
  ],
])("%s is refused, and leaves the catalog as it was", (_case, orders, message) => {
  const before = contents(catalog);
  expect(() => replayOrders(catalog, orders)).toThrow(message);
  expect(contents(catalog)).toEqual(before);
});

test("only the price of the last order must be that of the stock", () => {
  expect(replayOrders(catalog, [orderOf(1, { priceCents: 7 }), orderOf(2)]).head).toBe(2);
});

test("a catalog with orders isn't touched", () => {
  replayOrders(catalog, ordersOf(1, 2));
  expect(() => replayOrders(catalog, ordersOf(1, 3))).toThrow("has orders already");
});
