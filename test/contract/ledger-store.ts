/** What every `LedgerStore` must do (I1, I2, I3, I9): one suite for all implementations. */

import { join } from "node:path";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import { compareCopy } from "@stock-bazaar/ledger/copy";
import type { Ledger } from "@stock-bazaar/ledger/ledger";
import type { LedgerStore, LedgerView } from "@stock-bazaar/ledger/store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { eventually } from "@stock-bazaar/cluster/wait";
import { describe, expect, test } from "vitest";
import { createdAt, orderOf, ordersOf, tradeOf, tradesOf } from "../support/builders.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export interface LedgerStoreUnderTest {
  /** A store without a ledger. */
  readonly store: LedgerStore;
  /** Another store for the same ledger, like that of another process. */
  readonly other: LedgerStore;
  /** Runs SQL on the ledger's tables without their checks. All stores have the same tables and columns. */
  readonly tamper: (sql: string) => void | Promise<void>;
  /** Deletes the ledger, as a person might do by mistake. */
  readonly lose: () => void | Promise<void>;
}

const gameStart: NewStock = { name: "GameStart", priceCents: 1599, quantity: 100 };
const fishCo: NewStock = { name: "FishCo", priceCents: 850, quantity: 50 };
const tux: NewStock = { name: "Tux", priceCents: 435, quantity: 5 };

/** `makeStore` makes a new store for each test. */
export function ledgerStoreContract(
  name: string,
  makeStore: () => LedgerStoreUnderTest | Promise<LedgerStoreUnderTest>,
): void {
  const nothingMore = () => {};

  /** A store with two stocks and three orders of term 1. */
  async function traded() {
    const made = await makeStore();
    const { store } = made;
    await store.migrate();
    await store.addStocks([gameStart, fishCo], nothingMore);
    const ledger = await store.open();
    await ledger.acquire({ replica: 3, term: 0, last: undefined });
    const trades = [tradeOf("a", { quantity: 30 }), tradeOf("b", { type: "sell" }), tradeOf("c", { name: "FishCo" })];
    await ledger.apply({ term: 1, last: undefined, trades, createdAt });
    await ledger.close();
    return made;
  }

  /** Everything that one snapshot contains. */
  const contents = (store: LedgerStore) =>
    store.read(async (view) => ({
      register: await view.register(),
      leases: await view.leases(),
      lastId: await view.lastId(),
      orders: await view.ordersAfter(0, 1000),
      stocks: await view.stocksFrom({ start: "", inclusive: true, limit: 1000 }),
      initialStocks: await view.initialStocks(),
    }));

  /** A replica that holds these orders. */
  async function replicaOf(id: number, orders: readonly Order[]): Promise<ReplicaFile> {
    const replica = new ReplicaFile(join(temporaryFolder(), "replica"), id);
    await replica.migrate();
    const log = createSqliteOrderLog(replica.open());
    await log.append(orders);
    await log.close();
    return replica;
  }

  describe(`the store of a ledger ${name}`, () => {
    test("is missing until it is migrated, and a second migration has nothing to do", async () => {
      const { store } = await makeStore();
      expect(await store.isMissing()).toBe(true);
      expect(await store.migrate()).toBeGreaterThan(0);
      expect(await store.isMissing()).toBe(false);
      expect(await store.migrate()).toBe(0);
      expect(await contents(store)).toMatchObject({ register: { term: 0, leader: 0, head: 0, stocks: 0 }, orders: [] });
    });

    test("two migrations at once make one ledger", async () => {
      const { store, other } = await makeStore();
      await Promise.all([store.migrate(), other.migrate()]);
      expect(await store.migrate()).toBe(0);
    });

    test("that is missing is named in the error of every method", async () => {
      const { store } = await makeStore();
      const missing = `${store.name} does not exist: run \`npm run migrate\``;
      await expect(store.open()).rejects.toThrow(missing);
      await expect(store.read(async () => {})).rejects.toThrow(missing);
      await expect(store.check([])).rejects.toThrow(missing);
      await expect(store.addStocks([tux], nothingMore)).rejects.toThrow(missing);
      expect(await store.isMissing()).toBe(true);
    });

    test("is missing again after it was deleted", async () => {
      const { store, lose } = await traded();
      await lose();
      expect(await store.isMissing()).toBe(true);
      expect(await store.migrate()).toBeGreaterThan(0);
      expect(await contents(store)).toMatchObject({ orders: [], stocks: [] });
    });

    describe("stocks", () => {
      test("are added once: an existing stock keeps its row and its initial quantity", async () => {
        const { store } = await traded();
        const before = await contents(store);
        const initial: NewStock[][] = [];
        const added = await store.addStocks([{ ...gameStart, quantity: 7, priceCents: 1 }, tux], (all) =>
          initial.push([...all]),
        );
        expect(added).toBe(1);
        expect(initial).toEqual([[fishCo, gameStart, tux]]);
        const after = await contents(store);
        expect(after.initialStocks).toEqual([fishCo, gameStart, tux]);
        expect(after.stocks).toEqual([...before.stocks, { ...tux, volume: 0, rev: 0 }]);
        expect(await store.addStocks([gameStart, fishCo, tux], nothingMore)).toBe(0);
        expect(await contents(store)).toEqual(after);
        expect(await store.read((view) => view.countStocks())).toBe(3);
      });

      test("aren't added if `beforeCommit` fails", async () => {
        const { store } = await traded();
        const before = await contents(store);
        const fails = () => {
          throw new Error("no room");
        };
        await expect(store.addStocks([tux], fails)).rejects.toThrow("no room");
        expect(await contents(store)).toEqual(before);
      });

      test("are added beside a running catalog, which trades them", async () => {
        const { store, other } = await traded();
        const ledger = await store.open();
        await other.addStocks([tux], nothingMore);
        const last = (await ledger.ordersAfter(2, 1)).at(0);
        const { outcomes } = await ledger.apply({ term: 1, last, trades: [tradeOf("d", { name: "Tux" })], createdAt });
        expect(outcomes).toEqual([{ status: "accepted", orderId: 4, replayed: false }]);
        await ledger.close();
      });
    });

    describe("a lock", () => {
      test("excludes all others until it is released, and needs no ledger", async () => {
        const { store, other } = await makeStore();
        await store.migrate();
        const unlock = await store.lock();
        expect(await other.lockIfFree()).toBeUndefined();
        await expect(other.lock()).rejects.toThrow("another service uses");
        // Tools can still read the ledger.
        expect(await other.read((view) => view.lastId())).toBe(0);
        await unlock();
        const again = await other.lockIfFree();
        expect(again).toBeDefined();
        await again?.();
      });
    });

    describe("a watch", () => {
      test("reports once that the ledger was deleted", async () => {
        const { store, lose } = await traded();
        const clock = new ManualClock();
        const gone: string[] = [];
        const ledger = await store.open();
        store.watch(clock, ({ message }) => gone.push(message));
        await clock.advance(5000);
        expect(gone).toEqual([]);
        await lose();
        // A store on a server has its answer only later.
        await eventually("the watch reports", () => clock.advance(1000).then(() => gone.length > 0));
        await clock.advance(5000);
        expect(gone).toEqual([expect.stringContaining(store.name)]);
        await ledger.close();
      });

      test("that has ended reports nothing", async () => {
        const { store, lose } = await traded();
        const clock = new ManualClock();
        const gone: Error[] = [];
        const ledger = await store.open();
        store.watch(clock, (error) => gone.push(error))();
        await lose();
        await clock.advance(5000);
        expect(gone).toEqual([]);
        await ledger.close();
      });
    });

    describe("a view", () => {
      test("is one snapshot, whatever is written meanwhile", async () => {
        const { store, other } = await traded();
        const look = async (view: LedgerView) => ({
          head: (await view.register()).head,
          lastId: await view.lastId(),
          fourth: await view.order(4),
          orders: (await view.ordersAfter(0, 10)).length,
          stocks: await view.countStocks(),
        });
        const ledger = await other.open();
        const [before, after] = await store.read(async (view) => {
          const first = await look(view);
          const last = await view.order(3);
          await ledger.apply({ term: 1, last, trades: tradesOf("more", 2), createdAt });
          await other.addStocks([tux], nothingMore);
          return [first, await look(view)];
        });
        expect(before).toEqual({ head: 3, lastId: 3, fourth: undefined, orders: 3, stocks: 2 });
        expect(after).toEqual(before);
        expect(await store.read(look)).toMatchObject({ head: 5, lastId: 5, orders: 5, stocks: 3 });
        await ledger.close();
      });

      test("finds orders by id and in pages, and rejected keys in a range", async () => {
        const { store } = await traded();
        const ledger = await store.open();
        const last = (await ledger.ordersAfter(2, 1)).at(0);
        const trades = ["x-1", "x-20", "x-3"].map((key) => tradeOf(key, { name: "NoSuchCo" }));
        await ledger.apply({ term: 1, last, trades, createdAt });
        await ledger.close();
        await store.read(async (view) => {
          expect(await view.order(2)).toMatchObject({ id: 2, key: "b", type: "sell", quantity: 1, priceCents: 1599 });
          expect(await view.order(4)).toBeUndefined();
          expect((await view.ordersAfter(1, 1)).map(({ id }) => id)).toEqual([2]);
          expect((await view.ordersAfter(1, 9)).map(({ id }) => id)).toEqual([2, 3]);
          expect(await view.firstRejectedKey("x-", "x-3")).toBe("x-1");
          expect(await view.firstRejectedKey("x-2", "x-3")).toBe("x-20");
          expect(await view.firstRejectedKey("x-21", "x-3")).toBeUndefined();
          expect(await view.firstRejectedKey("x-3", "x-4")).toBe("x-3");
        });
      });

      test("rejects with the error that `look` rejects with", async () => {
        const { store } = await traded();
        await expect(store.read(() => Promise.reject(new Error("found something")))).rejects.toThrow("found something");
        expect(await store.read((view) => view.lastId())).toBe(3);
      });
    });

    describe("a check", () => {
      const outcomes = (checks: Awaited<ReturnType<LedgerStore["check"]>>) =>
        checks.map(({ promise, outcome, differences }) => [promise, outcome, differences[0]]);

      test("of a sound ledger and its copies finds nothing", async () => {
        const { store } = await traded();
        const { orders } = await contents(store);
        const copies = [await replicaOf(1, orders), await replicaOf(2, orders.slice(0, 2)), await replicaOf(3, [])];
        const seen: string[] = [];
        const checks = await store.check(copies, (table) => seen.push(table));
        expect(checks.map(({ promise, file, outcome }) => [promise, file, outcome])).toEqual([
          ["I1", store.name, "kept"],
          ["I2", store.name, "kept"],
          ...copies.map(({ file }) => ["I3", file, "kept"]),
        ]);
        // The copies' snapshots come before the ledger's.
        expect(seen).toHaveLength(4);
        expect(seen.at(-1)).toContain("ledger");
      });

      test.each([
        [
          "I1",
          "a quantity",
          "UPDATE stocks SET quantity = 70 WHERE name = 'GameStart'",
          "column quantity must be 100 initial",
        ],
        ["I1", "a quantity below zero", "UPDATE stocks SET quantity = -1 WHERE name = 'FishCo'", "(got -1)"],
        ["I1", "a volume", "UPDATE stocks SET volume = 2 WHERE name = 'FishCo'", "column volume must be 1 bought"],
        [
          "I1",
          "a last order",
          "UPDATE stocks SET rev = 3 WHERE name = 'GameStart'",
          "column rev must be the stock's last order, 2 (got 3)",
        ],
        [
          "I1",
          "no initial quantity",
          "DELETE FROM initial_stocks WHERE name = 'FishCo'",
          "is in stocks, but not in initial",
        ],
        ["I1", "no stock", "DELETE FROM stocks WHERE name = 'FishCo'", "is in initial_stocks, but not in stocks"],
        ["I2", "a gap", "DELETE FROM ledger WHERE id = 2", "lacks order 2"],
        ["I2", "no first order", "DELETE FROM ledger WHERE id = 1", "lacks order 1"],
        ["I2", "another head", "UPDATE register SET head = 9", "column head must be the last order, 3 (got 9)"],
      ] as const)("finds a breach of %s: %s", async (promise, _what, sql, difference) => {
        const { store, tamper } = await traded();
        await tamper(sql);
        const found = outcomes(await store.check([])).find(([broken]) => broken === promise);
        expect(found).toEqual([promise, "broken", expect.stringContaining(difference)]);
      });

      test("finds orders of an unknown stock", async () => {
        const { store, tamper } = await traded();
        await tamper("DELETE FROM stocks WHERE name = 'FishCo'; DELETE FROM initial_stocks WHERE name = 'FishCo'");
        const [, , difference] = outcomes(await store.check([]))[0] ?? [];
        expect(difference).toContain('order 3 trades "FishCo", which is not a stock');
      });

      test("finds each copy that isn't a prefix of the ledger (I3), and one that can't be read", async () => {
        const { store } = await traded();
        const { orders } = await contents(store);
        const other = orders.map((order) => (order.id === 2 ? { ...order, term: 9 } : order));
        const copies = [
          await replicaOf(1, other),
          await replicaOf(2, [...orders, orderOf(4)]),
          new ReplicaFile(temporaryFolder(), 3),
        ];
        expect(outcomes(await store.check(copies)).slice(2)).toEqual([
          ["I3", "broken", expect.stringContaining("order 2, column term")],
          ["I3", "broken", expect.stringContaining("goes on to order 4")],
          ["I3", "unread", expect.stringContaining("does not exist")],
        ]);
      });
    });

    describe("an empty ledger is filled", () => {
      const content = {
        stocks: [gameStart, tux],
        orders: ({ term }: { readonly term: number }) => ordersOf(1, 3).map((order) => ({ ...order, term: term + 1 })),
        quantities: new Map([
          ["GameStart", 97],
          ["Tux", 5],
        ]),
      };

      /** A store with a stock of the same name, one of another name, and used terms. */
      async function seeded() {
        const made = await makeStore();
        await made.store.migrate();
        await made.store.addStocks([{ ...gameStart, quantity: 1 }, fishCo], nothingMore);
        await made.tamper("UPDATE register SET term = 41, lease_ms = 700");
        return made;
      }

      test("with stocks and orders in unused terms; other stocks stay", async () => {
        const { store } = await seeded();
        const { register } = await contents(store);
        const initial: NewStock[][] = [];
        const filled = await store.fillEmpty(content, (all) => initial.push([...all]));
        expect(initial).toEqual([[fishCo, gameStart, tux]]);
        const now = await contents(store);
        expect(now.orders).toEqual(ordersOf(1, 3).map((order) => ({ ...order, term: 42 })));
        expect(now.stocks).toEqual([
          { ...fishCo, volume: 0, rev: 0 },
          { ...gameStart, quantity: 97, volume: 3, rev: 3 },
          { ...tux, volume: 0, rev: 0 },
        ]);
        expect(now.register).toMatchObject({ head: 3, term: filled.term, leader: 0, firstTerm: filled.term });
        expect(now.register.life).not.toBe(register.life);
        expect(now.leases).toEqual({ leaseMs: 700, endedCleanly: false });
        expect(filled.term).toBeGreaterThan(42);
        expect((await store.check([])).map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);
      });

      test.each<[string, Partial<typeof content>, (() => void) | undefined, string]>([
        [
          "orders have a gap",
          { orders: () => [orderOf(1), orderOf(3)] },
          undefined,
          "the next order must be 2 (got 3)",
        ],
        ["they lead elsewhere", { quantities: new Map([["Tux", 4]]) }, undefined, "to 4 units of Tux (got 5)"],
        [
          "`beforeCommit` fails",
          {},
          () => {
            throw new Error("no room");
          },
          "no room",
        ],
      ])("with nothing if %s", async (_why, change, beforeCommit, message) => {
        const { store } = await seeded();
        const before = await contents(store);
        await expect(store.fillEmpty({ ...content, ...change }, beforeCommit ?? nothingMore)).rejects.toThrow(message);
        expect(await contents(store)).toEqual(before);
      });

      test("but a ledger with orders isn't", async () => {
        const { store } = await traded();
        const before = await contents(store);
        await expect(store.fillEmpty(content, nothingMore)).rejects.toThrow("has orders already");
        expect(await contents(store)).toEqual(before);
      });
    });

    describe("a ledger is replaced", () => {
      const stocks = [gameStart, tux];
      const pages = [ordersOf(1, 2), ordersOf(3, 5)];

      test("by one that is built first: only the used terms and the lease of the old one stay", async () => {
        const { store, tamper } = await traded();
        await tamper("UPDATE register SET term = 5000000000000, lease_ms = 300, ended_cleanly = 1");
        const before = await contents(store);
        const unlock = await store.lock();
        const replaced = await store.replaceWith({ stocks, pages });
        await unlock();
        expect(replaced).toMatchObject({ head: 5, aside: expect.any(String) });
        expect(replaced.aside).not.toBe(store.name);
        const now = await contents(store);
        expect(now.orders).toEqual(ordersOf(1, 5));
        expect(now.initialStocks).toEqual(stocks);
        expect(now.stocks.map(({ name, quantity }) => [name, quantity])).toEqual([
          ["GameStart", 95],
          ["Tux", 5],
        ]);
        expect(now.register).toMatchObject({ head: 5, leader: 0, term: replaced.term, firstTerm: replaced.term });
        expect(replaced.term).toBeGreaterThan(before.register.term);
        expect(now.register.life).not.toBe(before.register.life);
        expect(now.leases).toEqual({ leaseMs: 300, endedCleanly: false });
        expect((await store.check([])).map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);
      });

      test("also if it is missing: then nothing is moved aside", async () => {
        const { store, lose } = await traded();
        await lose();
        const { aside } = await store.replaceWith({ stocks, pages: [] });
        expect(aside).toBeUndefined();
        expect(await contents(store)).toMatchObject({ orders: [], initialStocks: stocks });
      });

      async function* failing() {
        yield ordersOf(1, 2);
        throw new Error("the replica's disk failed");
      }

      test.each<[string, () => Iterable<Order[]> | AsyncIterable<Order[]>, string]>([
        ["the orders end in a failure", failing, "the replica's disk failed"],
        ["an order is missing", () => [ordersOf(1, 2), ordersOf(4, 5)], "the next order must be 3 (got 4)"],
        ["an order trades no stock", () => [[orderOf(1), orderOf(2, { name: "FishCo" })]], '"FishCo", which is not'],
        ["the last has another price", () => [[orderOf(1, { priceCents: 7 })]], "that of order 1, 7 cents (got 1599)"],
        ["a key comes twice", () => [[orderOf(1), orderOf(2, { key: "key-1" })]], "key"],
      ])("by nothing if %s: the old one stays as it was", async (_why, pagesOf, message) => {
        const { store } = await traded();
        const before = await contents(store);
        await expect(store.replaceWith({ stocks, pages: pagesOf() })).rejects.toThrow(message);
        expect(await contents(store)).toEqual(before);
        // A retry works.
        expect(await store.replaceWith({ stocks, pages })).toMatchObject({ head: 5 });
      });
    });

    describe("a ledger is copied", () => {
      const rejected = [tradeOf("no", { quantity: 999 }), tradeOf("n\\0", { name: "a\\0b\0\\" })];

      /** A store with three orders and the second and third of three rejections, and one without a ledger. */
      async function sourceAndTarget() {
        const [{ store: source, tamper }, { store: target, other }] = [await traded(), await makeStore()];
        const ledger = await source.open();
        const trades = [tradeOf("old", { quantity: 998 }), ...rejected];
        await ledger.apply({ term: 1, last: await ledgerLast(ledger), trades, createdAt });
        await ledger.forgetRejections(1, 1);
        await ledger.setLeases({ leaseMs: 300, endedCleanly: true });
        await ledger.close();
        return { source, tamper, target, other };
      }

      const ledgerLast = async (ledger: Ledger) => (await ledger.ordersAfter(2, 1)).at(0);
      const copy = (source: LedgerStore, target: LedgerStore) =>
        source.read((view) => target.copyFrom(view, async (made) => void (await compareCopy(view, made))));

      test("row for row, in a new term, as one that hasn't ended cleanly; keys keep their outcomes", async () => {
        const { source, target } = await sourceAndTarget();
        const before = await contents(source);
        expect(await copy(source, target)).toBeUndefined();
        expect(await contents(source)).toEqual(before);
        const { term } = (await contents(target)).register;
        expect(term).toBeGreaterThan(1_000_000);
        expect(await contents(target)).toEqual({
          ...before,
          register: { ...before.register, term, leader: 0 },
          leases: { leaseMs: 300, endedCleanly: false },
        });
        expect((await target.check([])).map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);

        const ledger = await target.open();
        const last = await ledgerLast(ledger);
        await ledger.acquire({ replica: 2, term, last });
        expect(await ledger.lastRejection()).toBe(3);
        const trades = [...rejected, tradeOf("a", { quantity: 30 }), tradeOf("a", { quantity: 31 }), tradeOf("new")];
        const { outcomes } = await ledger.apply({ term: term + 1, last, trades, createdAt });
        expect(outcomes).toEqual([
          { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: true },
          { status: "rejected", reason: "INVALID_STOCKNAME", replayed: true },
          { status: "accepted", orderId: 1, replayed: true },
          { status: "key-reused" },
          { status: "accepted", orderId: 4, replayed: false },
        ]);
        await ledger.close();
      });

      test("over one that was migrated and seeded but never used, which is moved aside", async () => {
        const { source, target } = await sourceAndTarget();
        await target.migrate();
        await target.addStocks([tux], nothingMore);
        const unlock = await target.lock();
        expect(await copy(source, target)).toEqual(expect.any(String));
        await unlock();
        expect((await contents(target)).initialStocks).toEqual([fishCo, gameStart]);
      });

      test.each<[string, (ledger: Ledger) => Promise<unknown>]>([
        ["a leader", (ledger) => ledger.acquire({ replica: 1, term: 0, last: undefined })],
        [
          "orders",
          async (ledger) => {
            await ledger.acquire({ replica: 1, term: 0, last: undefined });
            await ledger.apply({ term: 1, last: undefined, trades: [tradeOf("mine")], createdAt });
          },
        ],
      ])("but not over one that has had %s", async (_what, use) => {
        const { source, target } = await sourceAndTarget();
        await target.migrate();
        await target.addStocks([gameStart], nothingMore);
        const ledger = await target.open();
        await use(ledger);
        await ledger.close();
        const before = await contents(target);
        await expect(copy(source, target)).rejects.toThrow(`${target.name} must have no ledger, or one that was never`);
        expect(await contents(target)).toEqual(before);
      });

      test("all or nothing: if the comparison fails, there is still no ledger, and a retry works", async () => {
        const { source, target, other } = await sourceAndTarget();
        const fails = async () => {
          throw new Error("not equal");
        };
        await expect(source.read((view) => target.copyFrom(view, fails))).rejects.toThrow("not equal");
        expect(await other.isMissing()).toBe(true);
        await copy(source, target);
        expect((await contents(target)).lastId).toBe(3);
      });

      test.each([
        ["order", "UPDATE ledger SET created_at = 'x' WHERE id = 2", /^order 2 of the copy must be .*"createdAt":"x"/],
        ["end", "DELETE FROM ledger WHERE id = 3", /^order 3 of the copy must be nothing/],
        ["stock", "UPDATE stocks SET volume = 7 WHERE name = 'FishCo'", /^stock 1 of the copy must be/],
        ["initial stock", "UPDATE initial_stocks SET quantity = 7", /^initial stock 1 of the copy must be/],
        ["rejection", "UPDATE rejections SET reason = 'INVALID_STOCKNAME'", /^rejection 1 of the copy must be/],
        ["register", "UPDATE register SET life = 'another'", /^the register of the copy must be .*"another"/],
        ["lease", "UPDATE register SET lease_ms = 7", /^the register of the copy must be .*"leaseMs":7/],
      ])("another %s is a difference", async (_what, sql, message) => {
        const { source, target, tamper } = await sourceAndTarget();
        await copy(source, target);
        await tamper(sql);
        await expect(source.read((view) => target.read((made) => compareCopy(view, made)))).rejects.toThrow(message);
      });
    });
  });
}
