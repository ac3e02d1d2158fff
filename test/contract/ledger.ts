/** What every `Ledger` must do (R1, R2, R3): one suite for all implementations. */

import type { Ledger, LedgerRegister } from "@stock-bazaar/ledger/ledger";
import type { Order, Stock, Trade } from "@stock-bazaar/shared/domain";
import { describe, expect, test } from "vitest";
import { accepted, allStocks, createdAt, stockOf, tradeOf, tradesOf } from "../support/builders.ts";
import { rejectionCode } from "../support/observe.ts";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A quantity that every store rejects: it makes a transaction fail halfway. */
const impossibleQuantity = -1;

export interface LedgerUnderTest {
  /** A ledger in term 0 that holds only these stocks. */
  readonly ledger: Ledger;
  /** Opens the stored ledger again, as a new process would; absent if the store doesn't outlive its connection. */
  readonly reopen?: () => Promise<Ledger>;
}

/** `makeLedger` makes a new ledger for each test. `survives` is true if the store outlives its connection. */
export function ledgerContract(
  name: string,
  { survives }: { survives: boolean },
  makeLedger: (stocks: readonly Stock[]) => Promise<LedgerUnderTest>,
): void {
  const gameStart = stockOf("GameStart", { quantity: 10 });
  const fishCo = stockOf("FishCo", { quantity: 5, priceCents: 250 });
  const refused = (reason: "INVALID_STOCKNAME" | "INSUFFICIENT_QUANTITY", replayed = false) => ({
    status: "rejected",
    reason,
    replayed,
  });

  /** A ledger led by replica 3 since term 1. */
  async function led() {
    const made = await makeLedger([gameStart, fishCo]);
    await made.ledger.acquire({ replica: 3, term: 0, last: undefined });
    const apply = (trades: readonly Trade[], term = 1, last?: Order) =>
      made.ledger.apply({ term, last, trades, createdAt });
    /** Trades whose keys a front-end has made and sends for the first time. */
    const applyMinted = (...trades: readonly Trade[]) =>
      made.ledger.apply({ term: 1, last: undefined, trades, mayBeKnown: [], createdAt });
    return { ...made, apply, applyMinted };
  }

  /** The register of a ledger that was never rebuilt. */
  function newRegister(change: Partial<LedgerRegister> = {}) {
    return { term: 0, leader: 0, head: 0, life: expect.stringMatching(uuid), firstTerm: 0, stocks: 1, ...change };
  }

  /** Everything that can be read. */
  async function contents(ledger: Ledger) {
    return {
      stocks: await ledger.stocksFrom(allStocks),
      orders: await ledger.ordersAfter(0, 100_000),
      register: await ledger.register(),
    };
  }

  /** Rows with the id of this order that differ from it in one column. */
  function othersThan(order: Order): Order[] {
    return [
      { ...order, key: "other" },
      { ...order, name: "FishCo" },
      { ...order, type: "restock" },
      { ...order, quantity: order.quantity + 1 },
      { ...order, priceCents: order.priceCents + 1 },
      { ...order, term: 2 },
      { ...order, createdAt: "2025-01-01T00:00:00.000Z" },
    ];
  }

  describe(`ledger ${name}`, () => {
    describe("apply", () => {
      test("changes stocks, writes orders with gapless ids and raises the head, in one transaction", async () => {
        const { ledger, apply } = await led();
        const change = await apply([
          tradeOf("a", { quantity: 3 }),
          tradeOf("b", { name: "FishCo", quantity: 6 }),
          tradeOf("c", { type: "sell", quantity: 1 }),
          tradeOf("d", { name: "NoSuchCo" }),
        ]);
        expect(change.outcomes).toEqual([
          accepted(1),
          refused("INSUFFICIENT_QUANTITY"),
          accepted(2),
          refused("INVALID_STOCKNAME"),
        ]);
        expect(change.head).toBe(2);
        expect(change.stocks).toEqual([{ ...gameStart, quantity: 8, volume: 4, rev: 2 }]);
        expect(await contents(ledger)).toEqual({
          stocks: [fishCo, { ...gameStart, quantity: 8, volume: 4, rev: 2 }],
          orders: [
            { id: 1, key: "a", name: "GameStart", type: "buy", quantity: 3, priceCents: 1599, term: 1, createdAt },
            { id: 2, key: "c", name: "GameStart", type: "sell", quantity: 1, priceCents: 1599, term: 1, createdAt },
          ],
          register: newRegister({ term: 1, leader: 3, head: 2, stocks: 2 }),
        });
        expect(change.orders).toEqual(await ledger.ordersAfter(0, 10));
        await ledger.close();
      });

      test("ids have no gap over many batches, rejections among them", async () => {
        const { ledger, apply } = await led();
        for (let batch = 0; batch < 5; batch += 1) {
          await apply([
            ...tradesOf(`s${batch}`, 7, { type: "sell" }),
            ...tradesOf(`x${batch}`, 2, { name: "NoSuchCo" }),
          ]);
        }
        const ids = (await ledger.ordersAfter(0, 1000)).map(({ id }) => id);
        expect(ids).toEqual(Array.from({ length: 35 }, (_, index) => index + 1));
        expect((await ledger.register()).head).toBe(35);
        await ledger.close();
      });

      test("a batch that fails halfway changes nothing: no order, stock, key or rejection", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("before")]);
        const before = await contents(ledger);
        const poisoned = tradeOf("poison", { type: "sell", quantity: impossibleQuantity });
        await expect(apply([tradeOf("a"), tradeOf("x", { name: "NoSuchCo" }), poisoned])).rejects.toBeInstanceOf(Error);
        expect(await contents(ledger)).toEqual(before);

        // The keys are still new, and the next ids follow without a gap.
        const { outcomes } = await apply([tradeOf("a"), tradeOf("x"), tradeOf("poison")]);
        expect(outcomes).toEqual([accepted(2), accepted(3), accepted(4)]);
        await ledger.close();
      });

      test("with another term than the register's it is FENCED and changes nothing, not even for a known key", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a")]);
        await ledger.acquire({ replica: 2, term: 1, last: (await ledger.ordersAfter(0, 1))[0] });
        const before = await contents(ledger);
        for (const term of [0, 1, 3]) {
          const late = [tradeOf("b"), tradeOf("a"), tradeOf("x", { name: "NoSuchCo" })];
          expect(await rejectionCode(apply(late, term))).toBe("FENCED");
        }
        expect(await contents(ledger)).toEqual(before);
        expect((await apply([tradeOf("b"), tradeOf("x")], 2)).outcomes).toEqual([accepted(2), accepted(3)]);
        await ledger.close();
      });

      test("an empty batch changes nothing", async () => {
        const { ledger, apply } = await led();
        expect(await apply([])).toMatchObject({ outcomes: [], orders: [], head: 0 });
        await ledger.close();
      });

      test("concurrent batches are decided one after the other", async () => {
        const { ledger, apply } = await led();
        const changes = await Promise.all(Array.from({ length: 20 }, (_, index) => apply([tradeOf(`k${index}`)])));
        const outcomes = changes.flatMap((change) => change.outcomes);
        expect(outcomes.filter(({ status }) => status === "accepted")).toHaveLength(10);
        const ids = outcomes.flatMap((outcome) => (outcome.status === "accepted" ? [outcome.orderId] : []));
        expect(ids.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        expect(await ledger.stocks(["GameStart"])).toMatchObject([{ quantity: 0, volume: 10, rev: 10 }]);
        await ledger.close();
      });

      test("names, keys and quantities of any kind are read back unchanged", async () => {
        const names = ["__proto__", "'; DROP TABLE ledger; --", "🦊 Fuchs", "x".repeat(255)];
        const { ledger } = await makeLedger(names.map((stock) => stockOf(stock)));
        await ledger.acquire({ replica: 1, term: 0, last: undefined });
        const trades = names.map((stock, index) =>
          tradeOf(`${stock}${index}`, { name: stock, type: "sell", quantity: 2_147_483_647 }),
        );
        const { outcomes } = await ledger.apply({ last: undefined, term: 1, trades, createdAt });
        expect(outcomes).toEqual([accepted(1), accepted(2), accepted(3), accepted(4)]);
        const orders = await ledger.ordersAfter(0, 10);
        expect(orders.map(({ key, name: stock, quantity }) => [key, stock, quantity])).toEqual(
          trades.map(({ key, name: stock, quantity }) => [key, stock, quantity]),
        );
        expect((await ledger.stocks(names)).every(({ quantity }) => quantity === 2_147_483_747)).toBe(true);
        const again = await ledger.apply({ last: undefined, term: 1, trades, createdAt });
        expect(again.outcomes).toEqual([1, 2, 3, 4].map((id) => accepted(id, true)));
        await ledger.close();
      });
    });

    describe("known keys (R3)", () => {
      test("an accepted key returns its order again, in the same batch and later, and trades once", async () => {
        const { ledger, apply } = await led();
        expect((await apply([tradeOf("a"), tradeOf("a")])).outcomes).toEqual([accepted(1), accepted(1, true)]);
        expect((await apply([tradeOf("a")])).outcomes).toEqual([accepted(1, true)]);
        expect(await ledger.stocks(["GameStart"])).toMatchObject([{ quantity: 9, volume: 1 }]);
        await ledger.close();
      });

      test("a batch of any size may mix known and new keys", async () => {
        const { ledger, apply } = await led();
        const trades = tradesOf("k", 100, { type: "sell" });
        await apply(trades.filter((_, index) => index % 3 === 0));
        const { outcomes, orders } = await apply(trades);
        expect(outcomes.map((outcome) => "replayed" in outcome && outcome.replayed)).toEqual(
          trades.map((_, index) => index % 3 === 0),
        );
        expect(orders.map(({ key }) => key)).toEqual(
          trades.filter((_, index) => index % 3 !== 0).map(({ key }) => key),
        );
        expect((await ledger.register()).head).toBe(100);
        expect(await ledger.ordersAfter(34, 100)).toEqual(orders);
        await ledger.close();
      });

      test("a rejected key returns its rejection again, even if the stock would suffice by then", async () => {
        const { ledger, apply } = await led();
        const large = tradeOf("a", { quantity: 11 });
        await apply([large, tradeOf("x", { name: "NoSuchCo" })]);
        await apply([tradeOf("s", { type: "sell", quantity: 100 })]);
        expect((await apply([large, tradeOf("x", { name: "NoSuchCo" })])).outcomes).toEqual([
          refused("INSUFFICIENT_QUANTITY", true),
          refused("INVALID_STOCKNAME", true),
        ]);
        await ledger.close();
      });

      test("a minted key whose retry was accepted returns that order, whether or not the stock would suffice now", async () => {
        const { ledger, apply, applyMinted } = await led();
        await apply([tradeOf("a", { quantity: 4 }), tradeOf("b", { quantity: 6 })]);
        const late = await applyMinted(
          tradeOf("new", { name: "FishCo" }),
          tradeOf("a", { quantity: 4 }),
          tradeOf("b", { quantity: 6 }),
        );
        expect(late.outcomes).toEqual([accepted(3), accepted(1, true), accepted(2, true)]);
        await apply([tradeOf("more", { type: "sell", quantity: 10 })]);
        expect((await applyMinted(tradeOf("a", { quantity: 4 }), tradeOf("c"))).outcomes).toEqual([
          accepted(1, true),
          accepted(5),
        ]);
        expect((await ledger.ordersAfter(0, 10)).map(({ key }) => key)).toEqual(["a", "b", "new", "more", "c"]);
        expect(await ledger.lastRejection()).toBe(0);
        await ledger.close();
      });

      test("a minted key whose retry was rejected returns that rejection, even if the stock would suffice now", async () => {
        const { ledger, apply, applyMinted } = await led();
        await apply([tradeOf("a", { quantity: 11 })]);
        await apply([tradeOf("more", { type: "sell" })]);
        const late = await applyMinted(tradeOf("b"), tradeOf("a", { quantity: 11 }));
        expect(late.outcomes).toEqual([accepted(2), refused("INSUFFICIENT_QUANTITY", true)]);
        expect(await ledger.ordersAfter(0, 10)).toHaveLength(2);
        await ledger.close();
      });

      test("minted keys are decided like others, in the same batch with them", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("known")]);
        const trades = [tradeOf("m", { quantity: 20 }), tradeOf("known"), tradeOf("n"), tradeOf("n"), tradeOf("o")];
        const batch = { term: 1, last: undefined, trades, mayBeKnown: ["known", "o"], createdAt };
        expect((await ledger.apply(batch)).outcomes).toEqual([
          refused("INSUFFICIENT_QUANTITY"),
          accepted(1, true),
          accepted(2),
          accepted(2, true),
          accepted(3),
        ]);
        await ledger.close();
      });

      test("a known key with another body is refused, whether it was accepted or rejected", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a"), tradeOf("x", { quantity: 11 })]);
        const reused = [
          tradeOf("a", { quantity: 2 }),
          tradeOf("a", { name: "FishCo" }),
          tradeOf("a", { type: "sell" }),
          tradeOf("x", { quantity: 1 }),
        ];
        const { outcomes, head } = await apply(reused);
        expect(outcomes).toEqual(reused.map(() => ({ status: "key-reused" })));
        expect(head).toBe(1);
        await ledger.close();
      });

      test("the oldest rejections are forgotten first; their keys are decided anew, an accepted key never is", async () => {
        const { ledger, apply } = await led();
        expect(await ledger.lastRejection()).toBe(0);
        await apply([tradeOf("old", { quantity: 11 }), tradeOf("kept")]);
        const old = await ledger.lastRejection();
        await apply([tradeOf("young", { quantity: 11 })]);
        await apply([tradeOf("s", { type: "sell", quantity: 50 })]);

        expect(await ledger.forgetRejections(old, 0)).toBe(0);
        expect(await ledger.forgetRejections(old, 100)).toBe(1);
        expect(await ledger.forgetRejections(old, 100)).toBe(0);
        const again = await apply([
          tradeOf("old", { quantity: 11 }),
          tradeOf("young", { quantity: 11 }),
          tradeOf("kept"),
        ]);
        expect(again.outcomes).toEqual([accepted(3), refused("INSUFFICIENT_QUANTITY", true), accepted(1, true)]);
        await ledger.close();
      });

      test("a rejection's sequence number is never reused, whatever is forgotten", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a", { quantity: 11 }), tradeOf("b", { quantity: 11 })]);
        const old = await ledger.lastRejection();
        await ledger.forgetRejections(old, 100);
        await apply([tradeOf("c", { quantity: 11 })]);
        expect(await ledger.lastRejection()).toBeGreaterThan(old);
        expect(await ledger.forgetRejections(old, 100)).toBe(1);
        expect((await apply([tradeOf("c", { quantity: 11 })])).outcomes).toEqual([
          refused("INSUFFICIENT_QUANTITY", true),
        ]);
        await ledger.close();
      });
    });

    describe("restock", () => {
      test("raises stocks at zero by orders of the house, and leaves the others", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a", { name: "FishCo", quantity: 5 }), tradeOf("b", { quantity: 9 })]);
        const change = await ledger.restock({
          last: undefined,
          term: 1,
          quantity: 100,
          after: "",
          limit: 10,
          createdAt,
        });
        expect(change.orders).toMatchObject([
          { id: 3, name: "FishCo", type: "restock", quantity: 100, priceCents: 250, term: 1 },
        ]);
        expect(change).toMatchObject({ head: 3, outcomes: [], stocks: [{ name: "FishCo", quantity: 100, rev: 3 }] });
        const stocks = await ledger.stocks(["FishCo", "GameStart"]);
        expect(stocks.toSorted((a, b) => a.rev - b.rev)).toEqual([
          { ...gameStart, quantity: 1, volume: 9, rev: 2 },
          { ...fishCo, quantity: 100, volume: 5, rev: 3 },
        ]);
        expect(
          await ledger.restock({ last: undefined, term: 1, quantity: 100, after: "", limit: 10, createdAt }),
        ).toMatchObject({
          orders: [],
          head: 3,
        });
        await ledger.close();
      });

      test("is FENCED like apply, and changes nothing", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a", { name: "FishCo", quantity: 5 })]);
        const before = await contents(ledger);
        expect(
          await rejectionCode(
            ledger.restock({ last: undefined, term: 0, quantity: 100, after: "", limit: 10, createdAt }),
          ),
        ).toBe("FENCED");
        expect(await contents(ledger)).toEqual(before);
        await ledger.close();
      });

      test("goes through the stocks in pages, by their names", async () => {
        const empty = ["A", "B", "C", "D"].map((name) => stockOf(name, { quantity: 0 }));
        const { ledger } = await makeLedger([...empty, gameStart]);
        await ledger.acquire({ replica: 3, term: 0, last: undefined });
        const restocked: string[][] = [];
        for (const after of ["", "B", "D"]) {
          const last = (await ledger.ordersAfter(0, 100)).at(-1);
          const change = await ledger.restock({ last, term: 1, quantity: 5, after, limit: 2, createdAt });
          restocked.push(change.orders.map(({ name }) => name));
        }
        expect(restocked).toEqual([["A", "B"], ["C", "D"], []]);
        await ledger.close();
      });

      test("works again and again for the same stock", async () => {
        const { ledger, apply } = await led();
        for (let round = 0; round < 3; round += 1) {
          await apply([tradeOf(`all-${round}`, { name: "FishCo", quantity: 5 })]);
          await ledger.restock({ last: undefined, term: 1, quantity: 5, after: "", limit: 10, createdAt });
        }
        expect(await ledger.stocks(["FishCo"])).toMatchObject([{ quantity: 5, volume: 15, rev: 6 }]);
        await ledger.close();
      });
    });

    describe("the register (R1)", () => {
      test("begins without a leader, and holds the ledger's head", async () => {
        const { ledger } = await makeLedger([gameStart]);
        expect(await ledger.register()).toEqual(newRegister());
        expect(await rejectionCode(ledger.apply({ last: undefined, term: 1, trades: [tradeOf("a")], createdAt }))).toBe(
          "FENCED",
        );
        await ledger.close();
      });

      test("holds a life that no other ledger has and that stays", async () => {
        const { ledger, apply } = await led();
        const other = await led();
        const { life } = await ledger.register();
        expect(life).not.toBe((await other.ledger.register()).life);
        await apply([tradeOf("a")]);
        expect((await ledger.acquire({ replica: 2, term: 1, last: undefined })).life).toBe(life);
        expect((await ledger.register()).life).toBe(life);
        await Promise.all([ledger.close(), other.ledger.close()]);
      });

      test("acquiring makes the next term, once", async () => {
        const { ledger } = await makeLedger([gameStart]);
        const asked = { replica: 3, term: 0, last: undefined };
        const both = await Promise.allSettled([ledger.acquire(asked), ledger.acquire({ ...asked, replica: 2 })]);
        expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
        expect(await ledger.register()).toEqual(newRegister({ term: 1, leader: 3 }));
        for (const term of [0, 2, 7]) {
          expect(await rejectionCode(ledger.acquire({ ...asked, term }))).toBe("STALE_TERM");
        }
        expect(await ledger.acquire({ ...asked, term: 1 })).toEqual(newRegister({ term: 2, leader: 3 }));
        await ledger.close();
      });

      test("a replica that is behind may lead, one that holds another order or more than the ledger may not", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a"), tradeOf("b")]);
        const ask = (last: Order) => ledger.acquire({ replica: 2, term: 1, last });
        const [first] = await ledger.ordersAfter(0, 1);
        if (!first) throw new Error("order 1 must be there (got none)");
        for (const other of othersThan(first)) expect(await rejectionCode(ask(other))).toBe("DIVERGED");
        expect(await ledger.register()).toEqual(newRegister({ term: 1, leader: 3, head: 2, stocks: 2 }));
        expect(await ask(first)).toEqual(newRegister({ term: 2, leader: 2, head: 2, stocks: 2 }));
        await ledger.close();
      });

      test("a leader whose last order isn't in the ledger, the same in every column, changes nothing", async () => {
        const { ledger, apply } = await led();
        await apply([tradeOf("a"), tradeOf("all", { name: "FishCo", quantity: 5 })]);
        const before = await contents(ledger);
        const [first, second] = before.orders;
        if (!first || !second) throw new Error("two orders must be there");
        for (const last of [...othersThan(first), { ...second, id: 3 }]) {
          expect(await rejectionCode(apply([tradeOf("b"), tradeOf("a")], 1, last))).toBe("DIVERGED");
          expect(
            await rejectionCode(ledger.restock({ term: 1, last, quantity: 100, after: "", limit: 10, createdAt })),
          ).toBe("DIVERGED");
        }
        expect(await contents(ledger)).toEqual(before);
        expect((await apply([tradeOf("b")], 1, second)).outcomes).toEqual([accepted(3)]);
        await ledger.close();
      });

      test("keeps the leases that an earlier catalog granted", async () => {
        const { ledger, apply } = await led();
        expect(await ledger.leases()).toEqual({ leaseMs: 0, endedCleanly: false });
        await ledger.setLeases({ leaseMs: 5000, endedCleanly: true });
        await apply([tradeOf("a")]);
        expect(await ledger.leases()).toEqual({ leaseMs: 5000, endedCleanly: true });
        await ledger.setLeases({ leaseMs: 50, endedCleanly: false });
        expect(await ledger.leases()).toEqual({ leaseMs: 50, endedCleanly: false });
        await ledger.close();
      });
    });

    describe("reading", () => {
      test("orders after an id, ascending, up to a limit", async () => {
        const { ledger, apply } = await led();
        await apply(tradesOf("k", 10));
        const ids = async (afterId: number, limit: number) =>
          (await ledger.ordersAfter(afterId, limit)).map(({ id }) => id);
        expect(await ids(0, 3)).toEqual([1, 2, 3]);
        expect(await ids(8, 100)).toEqual([9, 10]);
        expect(await ids(10, 100)).toEqual([]);
        expect(await ids(99, 100)).toEqual([]);
        await ledger.close();
      });

      test("stocks by name, without unknown ones, and all stocks sorted by name", async () => {
        const { ledger } = await led();
        expect(await ledger.stocks(["GameStart", "NoSuchCo"])).toEqual([gameStart]);
        expect(await ledger.stocks([])).toEqual([]);
        expect(await ledger.stocksFrom(allStocks)).toEqual([fishCo, gameStart]);
        expect((await ledger.register()).stocks).toBe(2);
        await ledger.close();
      });
    });

    test("stocks in pages, from a name on or after it, by the bytes of the names", async () => {
      const names = ["A", "AB", "B", "a", "é", "漢", "🚀"];
      const { ledger } = await makeLedger(names.toReversed().map((name) => stockOf(name)));
      const page = async (start: string, inclusive: boolean, limit: number) =>
        (await ledger.stocksFrom({ start, inclusive, limit })).map(({ name }) => name);
      expect(await page("", false, 3)).toEqual(["A", "AB", "B"]);
      expect(await page("B", false, 3)).toEqual(["a", "é", "漢"]);
      expect(await page("B", true, 2)).toEqual(["B", "a"]);
      expect(await page("Aa", true, 1)).toEqual(["B"]);
      expect(await page("漢", false, 10)).toEqual(["🚀"]);
      expect(await page("🚀", false, 10)).toEqual([]);
      expect((await ledger.register()).stocks).toBe(names.length);
      await ledger.close();
    });

    if (!survives) return;
    test("acknowledged changes are there after the store was opened again", async () => {
      const { ledger, apply, reopen } = await led();
      if (!reopen) throw new Error("a store that survives must have `reopen` (got none)");
      await apply([tradeOf("a"), tradeOf("x", { name: "NoSuchCo" })]);
      const before = await contents(ledger);
      await ledger.close();
      const again = await reopen();
      expect(await contents(again)).toEqual(before);
      const { outcomes } = await again.apply({
        term: 1,
        last: undefined,
        trades: [tradeOf("a"), tradeOf("x", { name: "NoSuchCo" }), tradeOf("b")],
        createdAt,
      });
      expect(outcomes).toEqual([accepted(1, true), refused("INVALID_STOCKNAME", true), accepted(2)]);
      await again.close();
    });
  });
}
