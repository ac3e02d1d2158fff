import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamingTradeWords } from "../dialects/streaming.ts";
import { toyPurchaseWords } from "../dialects/toy-store.ts";
import { olderTradeWords, purchaseWords } from "../routes/compatibility.ts";
import { tradeWords } from "../routes/orders.ts";
import { validTrade } from "./trade-form.ts";

/** Values at the edges of what a field may have, and any others. */
const names = fc.oneof(fc.constantFrom("GameStart", "", "\ud800", "__proto__"), fc.string(), fc.jsonValue());
const quantities = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    1.5,
    2_147_483_647,
    2_147_483_648,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e308,
    Infinity,
    "1",
  ),
  fc.integer({ min: 1, max: 2_147_483_647 }),
  fc.double(),
  fc.jsonValue(),
);
const types = fc.oneof(
  fc.mixedCase(fc.constantFrom("buy", "sell", "restock")),
  fc.constantFrom("ſell", "buy\n", " buy", "buys", "sel", ""),
  fc.jsonValue(),
);
const bodies = fc.oneof(
  fc.record({ name: names, quantity: quantities, type: types }, { requiredKeys: [] }),
  fc
    .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.record({ name: names, quantity: quantities, type: types }))
    .map(([others, trade]) => ({ ...others, ...trade })),
  fc.array(fc.jsonValue()),
  fc.jsonValue(),
  fc.constant(undefined),
);

describe.each([
  ["POST /orders", tradeWords],
  ["POST /order", olderTradeWords],
  ["POST /buy", purchaseWords],
  ["POST /orders of streaming", streamingTradeWords],
  ["POST /orders of toy-store", toyPurchaseWords],
])("%s", (_, { form }) => {
  test("a body is valid exactly if the schema accepts it, and is the same trade", () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const parsed = form.schema.safeParse(body);
        expect(validTrade(body, form)).toEqual(parsed.data);
      }),
      { numRuns: 2000 },
    );
  });

  test("a valid body is found valid", () => {
    const trade = { name: "GameStart", quantity: 1, type: "buy" };
    expect(validTrade(trade, form)).toEqual(trade);
  });
});
