import { type Order, type Outcome, type Stock, stockVolumeMax, type Trade } from "@stock-bazaar/shared/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createdAt, stockOf, tradeOf } from "../../test/support/builders.ts";
import { type Decision, decide, decideRestock, fingerprint, type KnownOutcome, type Situation } from "./decide.ts";

/** A ledger in two maps, which does no more with a decision than a store must do. */
class Books {
  readonly stocks: Map<string, Stock>;
  readonly known = new Map<string, KnownOutcome>();
  readonly orders: Order[] = [];
  head = 0;

  constructor(stocks: readonly Stock[]) {
    this.stocks = new Map(stocks.map((stock) => [stock.name, stock]));
  }

  decide(trades: readonly Trade[]): Decision {
    const decision = decide(trades, this.#situation());
    this.#write(decision);
    return decision;
  }

  restock(quantity: number): Decision {
    const decision = decideRestock(
      [...this.stocks.values()].filter((stock) => stock.quantity === 0),
      quantity,
      this.#situation(),
    );
    this.#write(decision);
    return decision;
  }

  #situation(): Situation {
    return {
      outcomeOf: (key) => this.known.get(key),
      stockOf: (name) => this.stocks.get(name),
      head: this.head,
      term: 3,
      createdAt,
    };
  }

  #write(decision: Decision): void {
    for (const order of decision.orders) {
      if (this.known.has(order.key)) throw new Error(`key ${order.key} is written twice`);
      const { name, quantity, type } = order;
      this.orders.push(order);
      this.known.set(order.key, {
        fingerprint: `${type} ${quantity} ${name}`,
        result: { status: "accepted", orderId: order.id },
      });
    }
    for (const { key, fingerprint, reason } of decision.rejections) {
      if (this.known.has(key)) throw new Error(`key ${key} is written twice`);
      this.known.set(key, { fingerprint, result: { status: "rejected", reason } });
    }
    for (const stock of decision.stocks) this.stocks.set(stock.name, stock);
    this.head = decision.head;
  }
}

const gameStart = stockOf("GameStart", { quantity: 10 });
const fishCo = stockOf("FishCo", { quantity: 5, priceCents: 250 });
const books = () => new Books([gameStart, fishCo]);

describe("one trade", () => {
  test("a buy takes stock, counts volume and becomes the next order", () => {
    const { outcomes, orders, stocks, head } = books().decide([tradeOf("a", { quantity: 3 })]);
    expect(outcomes).toEqual([{ status: "accepted", orderId: 1, replayed: false }]);
    expect(orders).toEqual([
      { id: 1, key: "a", name: "GameStart", type: "buy", quantity: 3, priceCents: 1599, term: 3, createdAt },
    ]);
    expect(stocks).toEqual([{ ...gameStart, quantity: 7, volume: 3, rev: 1 }]);
    expect(head).toBe(1);
  });

  test("a sell returns units to the stock and counts volume too", () => {
    const { stocks } = books().decide([tradeOf("a", { type: "sell", quantity: 4 })]);
    expect(stocks).toEqual([{ ...gameStart, quantity: 14, volume: 4, rev: 1 }]);
  });

  test("the last unit can be bought, but no further one", () => {
    const all = books();
    expect(all.decide([tradeOf("a", { quantity: 10 })]).outcomes).toMatchObject([{ status: "accepted" }]);
    expect(all.stocks.get("GameStart")?.quantity).toBe(0);
    const { outcomes, orders, stocks, head } = all.decide([tradeOf("b")]);
    expect(outcomes).toEqual([{ status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: false }]);
    expect({ orders, stocks, head }).toEqual({ orders: [], stocks: [], head: 1 });
  });

  test("an unknown stock is refused, for a sell too, even if its name is a property of every JavaScript object", () => {
    for (const name of ["NoSuchCo", "__proto__", "constructor", ""]) {
      const { outcomes } = books().decide([tradeOf("a", { name, type: "sell" })]);
      expect(outcomes).toEqual([{ status: "rejected", reason: "INVALID_STOCKNAME", replayed: false }]);
    }
  });
});

describe("keys (R3)", () => {
  test("the same key twice in one batch trades once, and the second gets the first outcome", () => {
    const { outcomes, orders, stocks } = books().decide([tradeOf("a", { quantity: 3 }), tradeOf("a", { quantity: 3 })]);
    expect(outcomes).toEqual([
      { status: "accepted", orderId: 1, replayed: false },
      { status: "accepted", orderId: 1, replayed: true },
    ]);
    expect(orders).toHaveLength(1);
    expect(stocks).toMatchObject([{ quantity: 7 }]);
  });

  test("the same key in a later batch trades once", () => {
    const kept = books();
    kept.decide([tradeOf("a", { quantity: 3 })]);
    const { outcomes, orders, head } = kept.decide([tradeOf("a", { quantity: 3 })]);
    expect(outcomes).toEqual([{ status: "accepted", orderId: 1, replayed: true }]);
    expect({ orders, head }).toEqual({ orders: [], head: 1 });
  });

  test.each([
    ["quantity", { quantity: 2 }],
    ["name", { name: "FishCo" }],
    ["type", { type: "sell" }],
  ] as const)("a key that is sent again with another %s changes nothing, in the same batch and later", (_, change) => {
    const kept = books();
    const first = kept.decide([tradeOf("a"), tradeOf("a", change)]);
    const later = kept.decide([tradeOf("a", change)]);
    expect(first.outcomes[1]).toEqual({ status: "key-reused" });
    expect(later.outcomes).toEqual([{ status: "key-reused" }]);
    expect(kept.orders).toHaveLength(1);
  });

  test("another request id with the same key is the same request", () => {
    const { outcomes } = books().decide([tradeOf("a", { requestId: "one" }), tradeOf("a", { requestId: "two" })]);
    expect(outcomes[1]).toEqual({ status: "accepted", orderId: 1, replayed: true });
  });

  test("a rejection is repeated, in the same batch and later, even if the stock would suffice by then", () => {
    const kept = books();
    const large = tradeOf("a", { quantity: 11 });
    const refused = { status: "rejected", reason: "INSUFFICIENT_QUANTITY" } as const;
    const { outcomes, rejections } = kept.decide([large, large]);
    expect(outcomes).toEqual([
      { ...refused, replayed: false },
      { ...refused, replayed: true },
    ]);
    expect(rejections).toEqual([
      { key: "a", fingerprint: fingerprint(large), reason: "INSUFFICIENT_QUANTITY", createdAt },
    ]);

    kept.decide([tradeOf("b", { type: "sell", quantity: 100 })]);
    expect(kept.decide([large]).outcomes).toEqual([{ ...refused, replayed: true }]);
    expect(kept.decide([{ ...large, key: "c" }]).outcomes).toMatchObject([{ status: "accepted", replayed: false }]);
  });

  test("a trade that would raise the volume above its maximum is refused, and no other", () => {
    const kept = new Books([stockOf("GameStart", { quantity: 10, volume: stockVolumeMax - 5 })]);
    const sell = (key: string, quantity: number) => kept.decide([tradeOf(key, { type: "sell", quantity })]);
    const full = { outcomes: [{ status: "volume-full" }], orders: [], rejections: [], stocks: [] };
    expect(sell("a", 6)).toMatchObject(full);
    expect(kept.decide([tradeOf("b", { quantity: 6 })])).toMatchObject(full);
    expect(sell("c", 5).outcomes).toMatchObject([{ status: "accepted" }]);
    expect(sell("d", 1)).toMatchObject(full);
    expect(kept.stocks.get("GameStart")).toMatchObject({ quantity: 15, volume: stockVolumeMax });
    // The same trade gets the same outcome again.
    expect(sell("a", 6)).toMatchObject(full);
  });

  test("a rejected key that is sent again with another body changes nothing", () => {
    const kept = books();
    kept.decide([tradeOf("a", { quantity: 11 })]);
    expect(kept.decide([tradeOf("a", { quantity: 1 })]).outcomes).toEqual([{ status: "key-reused" }]);
    expect(kept.orders).toHaveLength(0);
  });

  test("fingerprints differ when any field differs, whatever a name contains", () => {
    fc.assert(
      fc.property(tradeBody(), tradeBody(), (one, other) => {
        const equal = one.name === other.name && one.type === other.type && one.quantity === other.quantity;
        expect(fingerprint(one) === fingerprint(other)).toBe(equal);
      }),
    );
  });
});

describe("batches", () => {
  test("each trade sees the effects of those before it", () => {
    const { outcomes, stocks, orders } = books().decide([
      tradeOf("a", { quantity: 10 }),
      tradeOf("b", { quantity: 1 }),
      tradeOf("c", { type: "sell", quantity: 2 }),
      tradeOf("d", { quantity: 2 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["accepted", "rejected", "accepted", "accepted"]);
    expect(orders.map(({ id, key }) => [id, key])).toEqual([
      [1, "a"],
      [2, "c"],
      [3, "d"],
    ]);
    expect(stocks).toEqual([{ ...gameStart, quantity: 0, volume: 14, rev: 3 }]);
  });

  test("an empty batch changes nothing", () => {
    expect(books().decide([])).toEqual({ outcomes: [], orders: [], rejections: [], stocks: [], head: 0 });
  });
});

describe("restock", () => {
  test("raises stocks at zero by orders of the house with new keys, and counts no volume", () => {
    const kept = books();
    kept.decide([tradeOf("a", { quantity: 10 })]);
    const { orders, stocks, head } = kept.restock(100);
    expect(orders).toMatchObject([{ id: 2, name: "GameStart", type: "restock", quantity: 100, priceCents: 1599 }]);
    expect(stocks).toEqual([{ ...gameStart, quantity: 100, volume: 10, rev: 2 }]);
    expect(head).toBe(2);
    kept.decide([tradeOf("b", { quantity: 100 })]);
    expect(kept.restock(100).orders[0]?.key).not.toBe(orders[0]?.key);
  });

  test("no client can use a key of the house: it holds a character that a header can't have", () => {
    const { orders } = decideRestock([stockOf("GameStart", { quantity: 0 })], 1, { head: 6, term: 1, createdAt });
    expect(orders[0]?.key).not.toMatch(/^[\x21-\x7e]+$/);
  });
});

describe("any batches", () => {
  test("keep I1, I2 and I4", () => {
    fc.assert(
      fc.property(history(), (batches) => {
        const initial = [stockOf("A", { quantity: 7 }), stockOf("B", { quantity: 0 })];
        const kept = new Books(initial);
        const first = new Map<string, { body: string; outcome: Outcome }>();
        for (const batch of batches) {
          if (batch === "restock") {
            kept.restock(5);
            continue;
          }
          const { outcomes } = kept.decide(batch);
          expect(outcomes).toHaveLength(batch.length);
          for (const [index, outcome] of outcomes.entries()) checkOutcome(first, batch[index], outcome);
        }
        checkInvariants(initial, kept);
        const executed = kept.orders.filter(({ type }) => type !== "restock").map(({ key }) => key);
        const acknowledged = [...first].filter(([, { outcome }]) => outcome.status === "accepted").map(([key]) => key);
        expect(executed.sort()).toEqual(acknowledged.sort());
      }),
    );
  });

  test("give the same results however the trades are split into batches", () => {
    fc.assert(
      fc.property(fc.array(anyTrade(), { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 8 }), (trades, cuts) => {
        const stocks = [stockOf("A", { quantity: 7 }), stockOf("B", { quantity: 0 })];
        const whole = new Books(stocks);
        const outcomes = whole.decide(trades).outcomes;

        const cut = new Books(stocks);
        const edges = [0, ...cuts.sort((a, b) => a - b), trades.length];
        const piecewise = edges.flatMap((edge, index) => cut.decide(trades.slice(edge, edges[index + 1])).outcomes);
        expect(piecewise).toEqual(outcomes);
        expect(cut.orders).toEqual(whole.orders);
        expect([...cut.stocks]).toEqual([...whole.stocks]);
      }),
    );
  });
});

function tradeBody() {
  return fc.record({
    name: fc.oneof(fc.constantFrom("A", "1 A", "A 1", ""), fc.string()),
    type: fc.constantFrom("buy", "sell" as const),
    quantity: fc.integer({ min: 1, max: 12 }),
  });
}

/** Few keys and few stocks, so that trades interact often. */
function anyTrade(): fc.Arbitrary<Trade> {
  return fc
    .record({
      key: fc.constantFrom("k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"),
      name: fc.constantFrom("A", "B", "none"),
      type: fc.constantFrom("buy" as const, "sell" as const),
      quantity: fc.integer({ min: 1, max: 4 }),
    })
    .map((trade) => ({ ...trade, requestId: "" }));
}

function history() {
  return fc.array(fc.oneof(fc.array(anyTrade(), { maxLength: 10 }), fc.constant("restock" as const)), {
    maxLength: 10,
  });
}

/** I4: one outcome per key, which only the same request gets again. */
function checkOutcome(
  first: Map<string, { body: string; outcome: Outcome }>,
  trade: Trade | undefined,
  outcome: Outcome,
): void {
  if (!trade) throw new Error("an outcome without a trade");
  const body = JSON.stringify([trade.name, trade.type, trade.quantity]);
  const earlier = first.get(trade.key);
  if (!earlier) {
    expect(outcome).toMatchObject({ replayed: false });
    first.set(trade.key, { body, outcome });
  } else if (earlier.body === body) {
    expect(outcome).toEqual({ ...earlier.outcome, replayed: true });
  } else {
    expect(outcome).toEqual({ status: "key-reused" });
  }
}

/** I1 and I2, by adding up all orders. */
function checkInvariants(initial: readonly Stock[], { orders, stocks, head }: Books): void {
  expect(orders.map(({ id }) => id)).toEqual(orders.map((_, index) => index + 1));
  expect(head).toBe(orders.length);
  for (const stock of initial) {
    let quantity = stock.quantity;
    let volume = 0;
    let rev = 0;
    for (const order of orders) {
      if (order.name !== stock.name) continue;
      quantity += order.type === "buy" ? -order.quantity : order.quantity;
      if (order.type !== "restock") volume += order.quantity;
      rev = order.id;
      expect(quantity).toBeGreaterThanOrEqual(0);
    }
    expect(stocks.get(stock.name)).toEqual({ ...stock, quantity, volume, rev });
  }
}
