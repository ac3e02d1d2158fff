import type { CatalogApi, TailRequest } from "@stock-bazaar/shared/api";
import type { Seen } from "@stock-bazaar/shared/domain";
import { BazaarError, OtherVersionError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { expect, test, vi } from "vitest";
import { accepted, allStocks, orderOf, stockOf, tradeOf } from "../../test/support/builders.ts";
import { abortable } from "../../test/support/fake-cluster.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { type Observed, observe, rejectionCode } from "../../test/support/observe.ts";
import { catalogOver, leaseMs, OrderCluster } from "../../test/support/order-cluster.ts";
import { Wire } from "../../test/support/streams.ts";
import { LiveBazaar } from "./live-bazaar.ts";

const requestTimeoutMs = 10_000;

/** A catalog, three order replicas and front-ends, each with its own wires. */
async function scenario() {
  const clock = new ManualClock();
  const stocks = [stockOf("FishCo", { quantity: 50 }), stockOf("GameStart", { quantity: 100 })];
  const cluster = await OrderCluster.start(clock, { stocks });
  let sessions = 0;
  const frontEnd = (options: { cacheSize?: number; cacheTtlMs?: number } = {}) => {
    const wire = new Wire(clock);
    const lookups: (readonly string[])[] = [];
    const catalog: CatalogApi = catalogOver(wire, cluster.catalog);
    const lookup = catalog.lookup;
    catalog.lookup = (names, seen) => {
      lookups.push(names);
      seens.lookup.push(seen);
      return lookup(names, seen);
    };
    const seens: Record<"lookup" | "stocks" | "register", (Seen | undefined)[]> = {
      lookup: [],
      stocks: [],
      register: [],
    };
    const { stocks, register } = catalog;
    catalog.stocks = (request, seen) => {
      seens.stocks.push(seen);
      return stocks(request, seen);
    };
    catalog.register = (seen) => {
      seens.register.push(seen);
      return register(seen);
    };
    const replicas = new Map(
      [1, 2, 3].map((id) => {
        const { incoming } = cluster.node(id);
        const { replica } = cluster.node(id);
        const reach = <T>(signal: AbortSignal | undefined, call: () => Promise<T>) =>
          abortable(signal, incoming.call(call));
        return [
          id,
          {
            trade: (trades: Parameters<typeof replica.trade>[0], signal?: AbortSignal) =>
              reach(signal, () => cluster.node(id).replica.trade(trades)),
            order: (orderId: number, signal?: AbortSignal) =>
              reach(signal, () => cluster.node(id).replica.order(orderId)),
            orders: (request: Parameters<typeof replica.orders>[0], signal?: AbortSignal) =>
              reach(signal, () => cluster.node(id).replica.orders(request)),
            lead: (afterTerm: number) => incoming.call(() => cluster.node(id).replica.lead(afterTerm)),
            setLeader: (hint: Parameters<typeof replica.setLeader>[0]) =>
              incoming.call(() => cluster.node(id).replica.setLeader(hint)),
            follow: () => ({ send() {}, close() {} }),
            watch: (handlers: Parameters<typeof replica.watch>[0]) =>
              incoming.connect((far) => cluster.node(id).replica.watch(far), handlers),
          },
        ] as const;
      }),
    );
    const bazaar = new LiveBazaar({
      catalog,
      replicas,
      config: {
        frontEnd: { host: "127.0.0.1", port: 8080 },
        frontEndDialect: "bazaar",
        cacheSize: options.cacheSize ?? 100,
        cacheTtlMs: options.cacheTtlMs ?? 0,
        requestTimeoutMs,
      },
      clock,
      random: () => 0,
      newId: () => {
        sessions += 1;
        return `session-${sessions}`;
      },
      logger: silentLogger,
    });
    bazaar.start();
    const look = async (name: string) => {
      const looked = observe(Promise.resolve(bazaar.lookup(name)));
      await clock.flush();
      return looked;
    };
    return { bazaar, wire, catalog, lookups, seens, look };
  };
  return { clock, cluster, frontEnd };
}

test("a lookup misses once and then hits, without asking the catalog again", async () => {
  const { clock, frontEnd } = await scenario();
  const { look, lookups } = frontEnd();
  await clock.advance(1000);
  expect((await look("FishCo")).value).toMatchObject({ stock: { quantity: 50 }, cache: "miss" });
  expect((await look("FishCo")).value).toMatchObject({ stock: { quantity: 50 }, cache: "hit" });
  expect(lookups).toEqual([["FishCo"]]);
});

test("lookups of one turn become one call with each name once, and each caller gets its own stock", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, lookups } = frontEnd();
  await clock.advance(1000);
  const looked = ["FishCo", "GameStart", "FishCo", "NoSuchCo"].map((name) =>
    observe(Promise.resolve(bazaar.lookup(name))),
  );
  await clock.flush();
  expect(lookups).toEqual([["FishCo", "GameStart", "NoSuchCo"]]);
  expect(looked.map(({ value }) => value?.stock?.name)).toEqual(["FishCo", "GameStart", "FishCo", undefined]);
});

test("an unknown stock is never cached", async () => {
  const { clock, frontEnd } = await scenario();
  const { look, bazaar, lookups } = frontEnd();
  await clock.advance(1000);
  await look("__proto__");
  expect((await look("__proto__")).value).toEqual({ stock: undefined, cache: "miss" });
  expect(lookups).toHaveLength(2);
  expect(bazaar.lookupCached("__proto__")).toBeUndefined();
});

test("with CACHE_SIZE 0, every lookup asks the catalog, and no session delays a change", async () => {
  const { clock, frontEnd, cluster } = await scenario();
  const { look, bazaar, wire } = frontEnd({ cacheSize: 0 });
  await clock.advance(1000);
  for (let times = 0; times < 2; times += 1) expect((await look("FishCo")).value?.cache).toBe("bypass");
  expect(wire.streams).toBe(0);
  const trade = observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(trade.value).toEqual(accepted(1));
  expect((await cluster.catalog.register()).head).toBe(1);
});

test("a stock carries the life of the ledger that answered, also from the cache and after a change", async () => {
  const { clock, frontEnd, cluster } = await scenario();
  const { look, bazaar } = frontEnd();
  await clock.advance(1000);
  const { life } = await cluster.catalog.register();
  expect((await look("GameStart")).value).toMatchObject({ cache: "miss", stock: { life, rev: 0 } });
  expect((await look("GameStart")).value).toMatchObject({ cache: "hit", stock: { life, rev: 0 } });
  const trade = observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(trade.value).toEqual(accepted(1));
  expect((await look("GameStart")).value).toMatchObject({ cache: "hit", stock: { life, rev: 1 } });
});

test("after a rebuild of the catalog, a running front-end returns stocks of the new life", async () => {
  const { clock, frontEnd } = await scenario();
  const { look, catalog } = frontEnd({ cacheSize: 0 });
  await clock.advance(1000);
  const before = (await look("GameStart")).value?.stock;
  const { lookup } = catalog;
  catalog.lookup = async (names, seen) => ({ ...(await lookup(names, seen)), life: "another life" });
  expect((await look("GameStart")).value?.stock).toEqual({ ...before, life: "another life" });
});

test("without a lease, a lookup asks the catalog and counts as bypass", async () => {
  const { frontEnd } = await scenario();
  const { look } = frontEnd();
  expect((await look("FishCo")).value?.cache).toBe("bypass");
});

test("a trade through one front-end is visible at once through another with the stock in its cache", async () => {
  const { clock, frontEnd } = await scenario();
  const [one, two] = [frontEnd(), frontEnd()];
  await clock.advance(1000);
  await two.look("GameStart");
  expect((await two.look("GameStart")).value).toMatchObject({ cache: "hit" });
  const trade = observe(one.bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(trade.value).toEqual(accepted(1));
  expect((await two.look("GameStart")).value).toMatchObject({ stock: { quantity: 99, rev: 1 }, cache: "miss" });
});

test("while a front-end is cut off, a trade is answered only when it can no longer serve the old quantity", async () => {
  const { clock, frontEnd } = await scenario();
  const [one, two] = [frontEnd(), frontEnd()];
  await clock.advance(1000);
  await two.look("GameStart");
  two.wire.freeze();
  const trade = observe(one.bazaar.trade(tradeOf("a"), true));
  await neverAnsweredTooSoon(trade, { frontEnd: two.bazaar, quantity: 100, clock, forMs: 1000 });
  expect(trade.value).toEqual(accepted(1));
  two.wire.thaw();
  await clock.advance(1000);
  expect((await two.look("GameStart")).value?.stock?.quantity).toBe(99);
});

test("a front-end that is alone answers a trade when its own cache no longer serves the old quantity, without a settle call", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar, wire, look } = frontEnd();
  await clock.advance(1000);
  await look("GameStart");
  const first = observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(first.value).toEqual(accepted(1));
  expect(bazaar.peekCached("GameStart")?.quantity).toBe(99);

  const settle = vi.spyOn(cluster.node(3).catalog, "settle");
  wire.freeze();
  const second = observe(bazaar.trade(tradeOf("b"), true));
  await neverAnsweredTooSoon(second, { frontEnd: bazaar, quantity: 99, clock, forMs: 100 });
  expect((await cluster.catalog.register()).head).toBe(2);
  wire.thaw();
  await clock.flush();
  expect(second.value).toEqual(accepted(2));
  expect(bazaar.peekCached("GameStart")?.quantity).toBe(98);
  expect(settle).not.toHaveBeenCalled();
});

test("when another front-end begins, the next trade is answered when neither cache can serve the old quantity", async () => {
  const { clock, frontEnd } = await scenario();
  const one = frontEnd();
  await clock.advance(1000);
  const alone = observe(one.bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(alone.value).toEqual(accepted(1));

  const two = frontEnd();
  await clock.advance(1000);
  await two.look("GameStart");
  two.wire.freeze();
  const trade = observe(one.bazaar.trade(tradeOf("b"), true));
  await clock.advance(20);
  expect([trade.state, two.bazaar.lookupCached("GameStart")?.quantity]).toEqual(["pending", 99]);
  two.wire.thaw();
  await clock.flush();
  expect(trade.value).toEqual(accepted(2));
  expect(two.bazaar.lookupCached("GameStart")).toBeUndefined();
});

test("a front-end that can't reach the catalog still answers trades, once no cache can serve the old quantity", async () => {
  const { clock, frontEnd } = await scenario();
  const [one, two] = [frontEnd(), frontEnd()];
  await clock.advance(1000);
  await two.look("GameStart");
  one.wire.freeze();
  two.wire.freeze();
  const trade = observe(one.bazaar.trade(tradeOf("a"), true));
  await neverAnsweredTooSoon(trade, { frontEnd: two.bazaar, quantity: 100, clock, forMs: 1000 });
  expect(trade.value).toEqual(accepted(1));
});

test("a front-end that was alone and can't reach the catalog any more still answers trades", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, wire } = frontEnd();
  await clock.advance(1000);
  const first = observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(first.state).toBe("resolved");
  wire.freeze();
  const second = observe(bazaar.trade(tradeOf("b"), true));
  await clock.advance(1000);
  expect(second.value).toEqual(accepted(2));
});

test("a lookup that was sent before the session began is never cached, however late its answer arrives", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar, wire, catalog, look } = frontEnd();
  await clock.advance(1000);
  const usual = catalog.lookup;
  let answer = () => {};
  catalog.lookup = async (names) => {
    const stocks = await usual(names);
    await new Promise<void>((resolve) => (answer = resolve));
    return stocks;
  };
  const late = observe(Promise.resolve(bazaar.lookup("GameStart")));
  await clock.flush();
  catalog.lookup = usual;

  // The session ends, the stock changes, and a new session begins that never receives this change.
  wire.cut();
  await clock.advance(1000);
  const other = frontEnd();
  await clock.advance(1000);
  const trade = observe(other.bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(trade.state).toBe("resolved");
  wire.mend();
  await clock.advance(1000);
  answer();
  await clock.flush();
  expect(late.value?.stock?.quantity).toBe(100);
  expect(bazaar.lookupCached("GameStart")).toBeUndefined();
  expect((await look("GameStart")).value?.stock?.quantity).toBe(99);
  expect((await cluster.catalog.register()).head).toBe(1);
});

test("a cached name can be looked up in the cache alone, and a dropped one is read again", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, look } = frontEnd();
  await clock.advance(1000);
  expect(bazaar.lookupCached("FishCo")).toBeUndefined();
  await look("FishCo");
  expect(bazaar.lookupCached("FishCo")?.quantity).toBe(50);
  bazaar.dropCached("FishCo");
  expect(bazaar.lookupCached("FishCo")).toBeUndefined();
  expect((await look("FishCo")).value?.cache).toBe("miss");
});

test("a read is retried while the catalog is away, and fails only after REQUEST_TIMEOUT_MS", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, wire } = frontEnd();
  await clock.advance(1000);
  wire.cut();
  const [patient, hopeless] = [observe(Promise.resolve(bazaar.lookup("FishCo"))), observe(bazaar.stocks(allStocks))];
  await clock.advance(5000);
  expect([patient.state, hopeless.state]).toEqual(["pending", "pending"]);
  wire.mend();
  await clock.advance(1000);
  expect([patient.state, hopeless.state]).toEqual(["resolved", "resolved"]);
  wire.cut();
  const lost = observe(bazaar.stocks(allStocks));
  await clock.advance(requestTimeoutMs);
  expect(lost.code).toBe("UNAVAILABLE");
});

test("a read that fails with an error that isn't retryable is rejected at once", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, catalog } = frontEnd();
  await clock.advance(1000);
  catalog.stocks = () => Promise.reject(new BazaarError("INTERNAL_ERROR", "a bug"));
  const failed = observe(bazaar.stocks(allStocks));
  await clock.flush();
  expect(failed.code).toBe("INTERNAL_ERROR");
});

test("trades and reads of orders continue when the leader dies", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar } = frontEnd();
  await clock.advance(1500);
  const first = observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  expect(first.value).toEqual(accepted(1));
  await cluster.kill(3);
  const second = observe(bazaar.trade(tradeOf("b"), true));
  const order = observe(bazaar.order(1));
  const orders = observe(bazaar.orders({ before: 0, limit: 10 }));
  const none = observe(bazaar.order(99));
  await clock.advance(1000);
  expect(second.value).toEqual(accepted(2));
  expect(order.value).toEqual({ ...orderOf(1), key: "a", createdAt: order.value?.createdAt });
  expect(orders.value?.[0]?.id).toBeGreaterThanOrEqual(1);
  expect([none.state, none.value]).toEqual(["resolved", undefined]);
  const { leader, term } = await clusterState(clock, bazaar);
  expect([leader, term]).toEqual([2, 2]);
});

test("when the leader freezes, reads of orders are answered by the next leader within a second", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar } = frontEnd();
  await clock.advance(1500);
  observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  cluster.node(3).incoming.freeze();
  const order = observe(bazaar.order(1));
  const orders = observe(bazaar.orders({ before: 0, limit: 10 }));
  await clock.advance(1000);
  expect(order.value?.id).toBe(1);
  expect(orders.value?.map(({ id }) => id)).toEqual([1]);
});

test("while the catalog is away and no replica can lead, an order is still read from a live replica", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar, wire } = frontEnd();
  await clock.advance(1500);
  observe(bazaar.trade(tradeOf("a"), true));
  await clock.flush();
  for (const id of [1, 2, 3]) cluster.node(id).catalogWire.cut();
  wire.cut();
  await cluster.kill(3);
  const order = observe(bazaar.order(1));
  await clock.advance(1000);
  expect((await clusterState(clock, bazaar)).leader).toBe(0);
  expect(order.value?.id).toBe(1);
});

test("the state of the cluster contains the live replicas, the leader and the head of the ledger", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar, wire, look } = frontEnd();
  const early = await clusterState(clock, bazaar);
  expect(early).toMatchObject({ leader: 0, term: 0 });
  await clock.advance(1500);
  await look("FishCo");
  const calm = await clusterState(clock, bazaar);
  expect(calm).toMatchObject({
    leader: 3,
    term: 1,
    replicas: [
      { id: 1, state: "live" },
      { id: 2, state: "live" },
      { id: 3, state: "live", status: { role: "leader" } },
    ],
    catalog: { state: "live", head: 0 },
    cache: { capacity: 100, size: 1, leased: true },
  });
  await cluster.kill(1);
  wire.cut();
  const hurt = await clusterState(clock, bazaar);
  expect(hurt).toMatchObject({
    catalog: { state: "away", head: undefined },
    replicas: [{ id: 1, state: "away" }, {}, {}],
  });
});

test("a catalog that never answers doesn't block the state of the cluster", async () => {
  const { clock, frontEnd } = await scenario();
  const { bazaar, wire } = frontEnd();
  await clock.advance(1500);
  wire.freeze();
  const state = observe(bazaar.cluster());
  await clock.advance(500);
  expect(state.value?.catalog).toEqual({ state: "away", head: undefined });
});

/** Expects that the trade isn't answered while this front-end would still serve the old quantity. */
async function neverAnsweredTooSoon(
  trade: Observed<unknown>,
  watch: { frontEnd: LiveBazaar; quantity: number; clock: ManualClock; forMs: number },
) {
  for (let elapsedMs = 0; elapsedMs < watch.forMs; elapsedMs += 5) {
    await watch.clock.advance(5);
    const stale = watch.frontEnd.lookupCached("GameStart")?.quantity === watch.quantity;
    expect(stale && trade.state === "resolved").toBe(false);
  }
}

async function clusterState(clock: ManualClock, bazaar: LiveBazaar) {
  const state = bazaar.cluster();
  await clock.flush();
  return state;
}

test("every request to the catalog carries the highest head seen in its register, trades and lookups", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  // Without a cache there is no tail that could report a head.
  const { bazaar, seens, look } = frontEnd({ cacheSize: 0 });
  await clock.advance(1000);
  const { life } = await cluster.catalog.register();
  const ask = async () => {
    void bazaar.stocks(allStocks);
    void bazaar.cluster();
    await look("GameStart");
    return { lookup: seens.lookup.at(-1), stocks: seens.stocks.at(-1), register: seens.register.at(-1) };
  };
  expect(await ask()).toEqual({ lookup: { life, head: 0 }, stocks: { life, head: 0 }, register: { life, head: 0 } });
  void bazaar.trade(tradeOf("a"), true);
  await clock.flush();
  expect(await ask()).toEqual({ lookup: { life, head: 1 }, stocks: { life, head: 1 }, register: { life, head: 1 } });
  await cluster.trade(3, [tradeOf("b")]);
  await look("GameStart");
  expect(await ask()).toEqual({ lookup: { life, head: 2 }, stocks: { life, head: 2 }, register: { life, head: 2 } });
});

test("a hello carries the highest head seen before, and the length of the last lease", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const hellos: TailRequest[] = [];
  const { tail } = cluster.catalog;
  cluster.catalog.tail = (handlers) => {
    const stream = tail.call(cluster.catalog, handlers);
    return {
      close: stream.close,
      send: (request) => {
        if (request.kind === "hello") hellos.push(request);
        stream.send(request);
      },
    };
  };
  const { bazaar, wire } = frontEnd();
  await clock.advance(1000);
  const { life } = await cluster.catalog.register();
  void bazaar.trade(tradeOf("a"), true);
  await clock.flush();
  wire.cut();
  await clock.advance(100);
  wire.mend();
  await clock.advance(1000);
  expect(hellos.map(({ seen, leaseMs }) => ({ seen, leaseMs }))).toEqual([
    { seen: undefined, leaseMs: 0 },
    { seen: { life, head: 1 }, leaseMs },
  ]);
});

test("a catalog that refuses everything is `refusing`, not `away`", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar, wire, look } = frontEnd();
  await clock.advance(1000);
  const catalogNow = async () => {
    const seen = observe(bazaar.cluster());
    await clock.flush();
    return seen.value?.catalog;
  };
  expect(await catalogNow()).toEqual({ state: "live", head: 0, stocks: 2 });
  // Another front-end has seen an order that the ledger has lost.
  const { life } = await cluster.catalog.register();
  expect(await rejectionCode(cluster.catalog.register({ life, head: 1 }))).toBe("DIVERGED");
  await clock.advance(1000);
  expect(await catalogNow()).toEqual({ state: "refusing", head: undefined });
  expect((await look("FishCo")).code).toBe("DIVERGED");
  wire.cut();
  expect(await catalogNow()).toEqual({ state: "away", head: undefined });
});

test("a catalog that can't write its ledger is `read-only`, with the reason", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar } = frontEnd();
  await clock.advance(1000);
  const obstacle = "/data/catalog.db is locked by process 7 (sqlite3)";
  const { register } = cluster.catalog;
  cluster.catalog.register = async (seen) => ({ ...(await register.call(cluster.catalog, seen)), obstacle });
  expect((await clusterState(clock, bazaar)).catalog).toEqual({
    state: "read-only",
    head: 0,
    stocks: 2,
    problem: obstacle,
  });
  cluster.catalog.register = register;
  expect((await clusterState(clock, bazaar)).catalog).toEqual({ state: "live", head: 0, stocks: 2 });
});

test("a catalog that speaks another version is away, and the cluster's state contains the reason", async () => {
  const { clock, cluster, frontEnd } = await scenario();
  const { bazaar } = frontEnd();
  await clock.advance(1000);
  expect((await clusterState(clock, bazaar)).otherVersion).toBe(false);
  const { register } = cluster.catalog;
  cluster.catalog.register = async () => {
    throw new OtherVersionError("the catalog speaks version 2");
  };
  expect(await clusterState(clock, bazaar)).toMatchObject({ catalog: { state: "away" }, otherVersion: true });
  cluster.catalog.register = register;
  expect(await clusterState(clock, bazaar)).toMatchObject({ catalog: { state: "live" }, otherVersion: false });
});
