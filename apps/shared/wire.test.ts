import { Catalog, Orders } from "@stock-bazaar/proto/load";
import { describe, expect, test } from "vitest";
import { orderOf, tradeOf } from "../../test/support/builders.ts";
import type { Outcome } from "./domain.ts";
import { BazaarError, errorCodes, isErrorCode, isRetryable } from "./errors.ts";
import { orderFromMessage, outcomeFromMessage, outcomeToMessage, tradeFromMessage } from "./wire.ts";

const { Apply, OrdersAfter } = Catalog.service;

describe("messages", () => {
  const outcomes: readonly Outcome[] = [
    { status: "accepted", orderId: 1, replayed: false },
    { status: "accepted", orderId: Number.MAX_SAFE_INTEGER, replayed: true },
    { status: "rejected", reason: "INVALID_STOCKNAME", replayed: false },
    { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: true },
    { status: "key-reused" },
  ];

  test("every outcome is the same after it has travelled", () => {
    const { responseSerialize, responseDeserialize } = Orders.service.PlaceTrades;
    const bytes = responseSerialize({ outcomes: outcomes.map(outcomeToMessage) });
    expect(responseDeserialize(bytes).outcomes.map(outcomeFromMessage)).toEqual(outcomes);
  });

  test("every trade is the same after it has travelled, whatever its name", () => {
    const names = ["GameStart", "__proto__", "'; DROP TABLE stocks; --", "🦊", "x".repeat(10_000)];
    const trades = names.map((name) => tradeOf("k", { name, quantity: 2_147_483_647, type: "sell" }));
    const sent = Apply.requestDeserialize(Apply.requestSerialize({ term: 3, trades }));
    expect(sent.term).toBe(3);
    expect(sent.trades.map(tradeFromMessage)).toEqual(trades);
  });

  test("every order is the same after it has travelled", () => {
    const types = ["buy", "sell", "restock"] as const;
    const orders = types.map((type, index) => orderOf(index + 1, { type, priceCents: 2 ** 40 }));
    const sent = OrdersAfter.responseDeserialize(OrdersAfter.responseSerialize({ orders }));
    expect(sent.orders.map(orderFromMessage)).toEqual(orders);
  });

  test("a trade that makes no sense is invalid", () => {
    const message = { ...tradeOf("k") };
    for (const wrong of [{ type: "restock" }, { type: "BUY" }, { type: "" }, { key: "" }, { quantity: 0 }]) {
      expect(() => tradeFromMessage({ ...message, ...wrong })).toThrow(BazaarError);
    }
  });

  test("an order of an unknown type and an outcome with an unknown reason are refused", () => {
    expect(() => orderFromMessage({ ...orderOf(1), type: "gift" })).toThrow(BazaarError);
    expect(() => outcomeFromMessage({ orderId: 0, error: "FENCED", replayed: false })).toThrow(BazaarError);
  });
});

describe("errors", () => {
  test("a BazaarError stays what it is, anything else becomes INTERNAL_ERROR with its cause", () => {
    const known = new BazaarError("FENCED", "late");
    expect(BazaarError.from(known)).toBe(known);
    const cause = new TypeError("a bug");
    expect(BazaarError.from(cause)).toMatchObject({ code: "INTERNAL_ERROR", message: "a bug", cause });
    expect(BazaarError.from("text").message).toBe("text");
  });

  test("only what another attempt can mend is tried again", () => {
    const retryable = errorCodes.filter(isRetryable);
    expect(retryable).toEqual(["UNAVAILABLE", "NOT_LEADER", "FENCED", "STALE_TERM", "DEPENDENCY_UNAVAILABLE"]);
  });

  test("a text is a code only if it is in the list", () => {
    expect([isErrorCode("FENCED"), isErrorCode("toString"), isErrorCode("")]).toEqual([true, false, false]);
  });
});
