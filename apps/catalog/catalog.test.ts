import { openSeededCatalog } from "../../test/support/in-memory.ts";
import { replayOrders } from "@stock-bazaar/ledger/sqlite/replay-orders";
import { ordersPageMax, type TailReply, type TailRequest } from "@stock-bazaar/shared/api";
import type { Seen } from "@stock-bazaar/shared/domain";
import { cacheLeaseMaxMs } from "@stock-bazaar/process/config";
import { packOutcomes, unpackOutcomes } from "@stock-bazaar/shared/batches";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test } from "vitest";
import {
  accepted,
  allStocks,
  callOf,
  createdAt,
  orderOf,
  ordersOf,
  stockOf,
  tailReplyOf,
  tailRequestOf,
  tradeOf,
  tradesOf,
} from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { memoryLedger } from "../../test/support/order-cluster.ts";
import { recorder } from "../../test/support/streams.ts";
import { Catalog } from "./catalog.ts";
import type { Ledger } from "@stock-bazaar/ledger/ledger";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";

const leaseMs = 500;
const keptMs = 575;
const hourMs = 3_600_000;

/** A catalog with replica 3 as the leader. If `young`, it has only just started. */
async function scenario(options: { young?: boolean } = {}) {
  const clock = new ManualClock();
  const ledger = memoryLedger([stockOf("GameStart", { quantity: 100 }), stockOf("FishCo", { quantity: 50 })]);
  const catalog = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs });
  const { life } = await catalog.acquire({ replica: 3, term: 0, last: undefined });
  if (!options.young) await clock.advance(keptMs);
  const session = (id: string, replaces = "", seen?: Seen) => {
    const near = recorder<TailReply>();
    const stream = catalog.tail(near);
    let sequence = 0;
    const send = (kind: TailRequest["kind"], acked = 0) =>
      stream.send(tailRequestOf(id, kind, { acked, sequence, ...(kind === "hello" && { replaces, seen }) }));
    send("hello");
    return {
      ...near,
      hello: () => send("hello"),
      ack: (acked: number) => send("ack", acked),
      renew: (acked: number) => {
        sequence += 1;
        send("renew", acked);
      },
      goodbye: () => send("goodbye"),
      close: () => stream.close(),
    };
  };
  const buy = (key: string) => catalog.apply({ last: undefined, term: 1, calls: [callOf(tradeOf(key))] });
  const lookup = () => observe(catalog.lookup(["GameStart"]));
  return { clock, ledger, catalog, life, session, buy, lookup };
}

describe("settling (R7)", () => {
  test("without a session, a lookup returns the newest value at once", async () => {
    const { clock, buy, lookup } = await scenario();
    await buy("a");
    const looked = lookup();
    await clock.flush();
    expect(looked.value?.stocks).toMatchObject([{ quantity: 99, rev: 1 }]);
  });

  test("a lookup and a settle wait until every session has acknowledged the change", async () => {
    const { clock, catalog, session, buy, lookup } = await scenario();
    const [one, two] = [session("one"), session("two")];
    await buy("a");
    const waiting = [lookup(), observe(catalog.settle(1)), observe(catalog.stocks(allStocks))];
    one.ack(1);
    await clock.flush();
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    two.ack(1);
    await clock.flush();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
  });

  test("a lookup of an unchanged stock doesn't wait for the change of another stock", async () => {
    const { clock, catalog, session, buy } = await scenario();
    session("one");
    await buy("a");
    const other = observe(catalog.lookup(["FishCo"]));
    await clock.flush();
    expect(other.value?.stocks).toMatchObject([{ name: "FishCo", quantity: 50 }]);
  });

  test("settling waits for a dead front-end exactly until its lease has expired", async () => {
    const { clock, session, buy, lookup } = await scenario();
    session("one").close();
    await buy("a");
    const looked = lookup();
    await clock.advance(keptMs - 1);
    expect(looked.state).toBe("pending");
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
  });

  test("a goodbye and a hello that replaces end the wait for those sessions at once", async () => {
    const { clock, session, buy, lookup } = await scenario();
    const [one] = [session("one"), session("two")];
    await buy("a");
    const looked = lookup();
    one.goodbye();
    await clock.flush();
    expect(looked.state).toBe("pending");
    session("three", "two");
    await clock.flush();
    expect(looked.state).toBe("resolved");
  });

  test("after a start, lookups of changed stocks wait until a lease has passed", async () => {
    const { clock, catalog, buy, lookup } = await scenario({ young: true });
    await buy("a");
    const looked = lookup();
    const unchanged = observe(catalog.lookup(["FishCo"]));
    await clock.advance(keptMs - 1);
    expect([looked.state, unchanged.state]).toEqual(["pending", "resolved"]);
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
  });

  test("a delayed duplicate hello settles nothing that its front-end may still serve", async () => {
    const { clock, session, buy, lookup } = await scenario();
    const one = session("one");
    await buy("a");
    one.hello();
    const looked = lookup();
    await clock.flush();
    expect(looked.state).toBe("pending");
    one.ack(1);
    await clock.flush();
    expect(looked.state).toBe("resolved");
  });

  test("settling an order that doesn't exist yet waits for it", async () => {
    const { clock, catalog, buy } = await scenario();
    const settled = observe(catalog.settle(1));
    await clock.flush();
    expect(settled.state).toBe("pending");
    await buy("a");
    await clock.flush();
    expect(settled.state).toBe("resolved");
  });
});

describe("the tail (R8, R9)", () => {
  test("answers a hello and every renewal with the request's sequence, the head and the length of the lease", async () => {
    const { session, buy, life } = await scenario();
    await buy("a");
    const one = session("one");
    one.renew(1);
    expect(one.messages).toEqual([tailReplyOf(0, 1, { life, leaseMs }), tailReplyOf(1, 1, { life, leaseMs })]);
  });

  test("sends each change to every session once, with the new state of each stock", async () => {
    const { catalog, session, life } = await scenario();
    const [one, two] = [session("one"), session("two")];
    await catalog.apply({
      last: undefined,
      term: 1,
      calls: [callOf(...tradesOf("g", 2), tradeOf("f", { name: "FishCo" }))],
    });
    const changes = [
      stockOf("GameStart", { quantity: 98, volume: 2, rev: 2 }),
      stockOf("FishCo", { quantity: 49, volume: 1, rev: 3 }),
    ];
    const news = tailReplyOf(-1, 3, { life, leaseMs, changes, previousHead: 0 });
    expect(one.messages.slice(1)).toEqual([news]);
    expect(two.messages.slice(1)).toEqual([news]);
  });

  test("marks a change with `alone` as soon as no other session may serve", async () => {
    const { clock, session, buy } = await scenario();
    const one = session("one");
    await buy("a");
    const two = session("two");
    await buy("b");
    two.close();
    await buy("c");
    one.renew(3);
    await clock.advance(keptMs - 1);
    one.renew(3);
    await clock.advance(1);
    await buy("d");
    const changes = one.messages.filter(({ sequence }) => sequence === -1);
    expect(changes.map(({ alone }) => alone)).toEqual([true, false, false, true]);
  });

  test("sends restocks too", async () => {
    const { catalog, session } = await scenario();
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(tradeOf("all", { quantity: 100 }))] });
    const one = session("one");
    await catalog.restock({ last: undefined, term: 1, quantity: 10, after: "" });
    expect(one.messages.at(-1)?.changes).toEqual([stockOf("GameStart", { quantity: 10, volume: 100, rev: 2 })]);
  });

  test("sends nothing when nothing has changed", async () => {
    const { catalog, session } = await scenario();
    const one = session("one");
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(tradeOf("x", { name: "NoSuchCo" }))] });
    expect(one.messages).toHaveLength(1);
  });

  test("ends the stream of a session whose lease has expired, at its next message or the next change", async () => {
    const { clock, session, buy } = await scenario();
    const [renewing, silent] = [session("renewing"), session("silent")];
    await clock.advance(keptMs);
    renewing.renew(0);
    expect(renewing.ends).toEqual(["UNAVAILABLE"]);
    await buy("a");
    expect(silent.ends).toEqual(["UNAVAILABLE"]);
  });

  test("ends the stream of a session that acknowledges a future change, and ignores the acknowledgement", async () => {
    const { clock, session, buy, lookup } = await scenario();
    const one = session("one");
    one.ack(1);
    expect(one.ends).toEqual(["INVALID_REQUEST"]);
    await buy("a");
    const looked = lookup();
    await clock.flush();
    expect(looked.state).toBe("pending");
  });

  test("refuses to renew a session that was never begun here, as after a restart", async () => {
    const { catalog } = await scenario();
    const near = recorder<TailReply>();
    catalog.tail(near).send(tailRequestOf("of an earlier life", "renew", { acked: 5, sequence: 4 }));
    expect(near).toMatchObject({ messages: [], ends: ["UNAVAILABLE"] });
  });
});

/** Starts one catalog after another on the same ledger. */
function restarts() {
  const clock = new ManualClock();
  // `close` does nothing, so that the next catalog can use the same ledger.
  const ledger: Ledger = { ...memoryLedger([stockOf("GameStart"), stockOf("FishCo")]), close: async () => {} };
  const start = async (ownLeaseMs = leaseMs) => {
    const catalog = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs: ownLeaseMs });
    const { term } = await catalog.acquire({ replica: 3, term: (await ledger.register()).term, last: undefined });
    let trades = 0;
    return {
      catalog,
      buy: () =>
        catalog.apply({ term, last: undefined, calls: [callOf(tradeOf(`term ${term}, trade ${(trades += 1)}`))] }),
      lookup: () => observe(catalog.lookup(["GameStart"])),
      hello: (session: string, change: Partial<TailRequest> = {}) => {
        const near = recorder<TailReply>();
        const stream = catalog.tail(near);
        stream.send(tailRequestOf(session, "hello", change));
        return { ...near, send: stream.send, alone: () => near.messages.at(-1)?.alone };
      },
    };
  };
  /** Delays writes of the leases until the returned function is called. */
  const holdLeases = () => {
    const { setLeases } = ledger;
    let write = () => {};
    ledger.setLeases = async (leases) => {
      await new Promise<void>((resolve) => (write = resolve));
      return setLeases(leases);
    };
    return () => {
      ledger.setLeases = setLeases;
      write();
    };
  };
  return { clock, ledger, start, holdLeases };
}

describe("leases that an earlier catalog granted (R9)", () => {
  const longMs = 2000;
  const longKeptMs = 2300;

  test("delay settlement when they are longer: no session is alone until then, and the register names them", async () => {
    const { clock, ledger, start } = restarts();
    await ledger.setLeases({ leaseMs: longMs, endedCleanly: false });
    const { buy, lookup, hello } = await start();
    await buy();
    const looked = lookup();
    await clock.advance(longKeptMs - 1);
    const late = hello("late");
    await buy();
    expect([looked.state, late.alone()]).toEqual(["pending", false]);
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: false });
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
    await buy();
    expect(late.alone()).toBe(true);
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: false });
  });

  test("count from the time when the catalog may serve, not from the beginning of its start", async () => {
    const { clock, ledger, start } = restarts();
    const { checkpoint } = ledger;
    ledger.checkpoint = async () => "a reader blocks the checkpoint";
    const starting = observe(start());
    await clock.advance(10_000);
    ledger.checkpoint = checkpoint;
    await clock.advance(100);
    expect(starting.state).toBe("resolved");
    await starting.value?.buy();
    const looked = starting.value?.lookup();
    await clock.advance(keptMs - 1);
    expect(looked?.state).toBe("pending");
    await clock.advance(1);
    expect(looked?.state).toBe("resolved");
  });

  test("a longer lease of its own is in the register before a hello is answered, and delays settlement as well", async () => {
    const { clock, ledger, start, holdLeases } = restarts();
    await ledger.setLeases({ leaseMs, endedCleanly: false });
    const writeLeases = holdLeases();
    const starting = observe(start(longMs));
    await clock.advance(100);
    expect(starting.state).toBe("pending");
    writeLeases();
    await clock.flush();
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: false });
    await starting.value?.buy();
    const looked = starting.value?.lookup();
    await clock.advance(longKeptMs - 1);
    expect(looked?.state).toBe("pending");
    await clock.advance(1);
    expect(looked?.state).toBe("resolved");
  });

  test.each([
    ["the same lease", longMs],
    ["a shorter lease", leaseMs],
  ])("don't run after a clean end: with %s it removes the mark and settles at once", async (_case, nextMs) => {
    const { clock, ledger, start, holdLeases } = restarts();
    const before = await start(longMs);
    await clock.advance(longKeptMs);
    const one = before.hello("one");
    one.send(tailRequestOf("one", "goodbye"));
    await before.catalog.stop();
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: true });

    const writeLeases = holdLeases();
    const starting = observe(start(nextMs));
    await clock.advance(100);
    expect(starting.state).toBe("pending");
    writeLeases();
    await clock.flush();
    expect(await ledger.leases()).toEqual({ leaseMs: nextMs, endedCleanly: false });
    const two = starting.value?.hello("two");
    await starting.value?.buy();
    expect(two?.alone()).toBe(true);
    two?.send(tailRequestOf("two", "ack", { acked: 1 }));
    const looked = starting.value?.lookup();
    await clock.flush();
    expect(looked?.state).toBe("resolved");
  });

  test("an end is clean once the lease of a dead front-end has expired", async () => {
    const { clock, ledger, start } = restarts();
    const { catalog, hello } = await start();
    await clock.advance(keptMs);
    hello("died");
    await clock.advance(keptMs);
    await catalog.stop();
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: true });
  });

  test.each([
    ["a session is left", keptMs, true],
    ["leases of an earlier catalog may still run", keptMs - 1, false],
  ])("an end is not clean when %s: the next catalog waits", async (_case, runMs, hasSession) => {
    const { clock, ledger, start } = restarts();
    const first = await start();
    await clock.advance(runMs);
    if (hasSession) first.hello("one");
    await first.catalog.stop();
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: false });
    const { buy, lookup } = await start();
    await buy();
    const looked = lookup();
    await clock.advance(keptMs - 1);
    expect(looked.state).toBe("pending");
  });

  test("are taken from a hello when the register of a rebuilt catalog names none", async () => {
    const { clock, ledger, start } = restarts();
    expect(await ledger.leases()).toEqual({ leaseMs: 0, endedCleanly: false });
    const { buy, lookup, hello } = await start();
    await clock.advance(100);
    hello("one", { leaseMs: longMs }).send(tailRequestOf("one", "goodbye"));
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: false });
    await buy();
    const looked = lookup();
    await clock.advance(longKeptMs - 101);
    expect(looked.state).toBe("pending");
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: false });
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: false });
  });

  test("delay settlement again when a late hello names a longer one that can still run", async () => {
    const { clock, ledger, start } = restarts();
    const { catalog, buy, lookup, hello } = await start();
    await clock.advance(keptMs);
    hello("late", { leaseMs: longMs }).send(tailRequestOf("late", "goodbye"));
    await buy();
    const looked = lookup();
    await clock.advance(longKeptMs - keptMs - 1);
    expect(looked.state).toBe("pending");
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: false });
    const written: unknown[] = [];
    ledger.setLeases = async (leases) => void written.push(leases);
    hello("later", { leaseMs: longMs }).send(tailRequestOf("later", "goodbye"));
    await buy();
    await catalog.settle(2);
    expect(written).toEqual([]);
  });

  test("are ignored in a hello when they are of the ledger's own life: the register already names those", async () => {
    const { clock, ledger, start } = restarts();
    const { catalog, hello, buy } = await start();
    await clock.advance(keptMs);
    const { life } = await ledger.register();
    hello("one", { leaseMs: longMs, leaseLife: life }).send(tailRequestOf("one", "goodbye"));
    await buy();
    await catalog.settle(1);
    expect(await ledger.leases()).toEqual({ leaseMs, endedCleanly: false });
  });

  test("are limited to the longest valid lease, whatever a hello reports", async () => {
    const { clock, ledger, start } = restarts();
    const { hello } = await start();
    hello("one", { leaseMs: 2 ** 32 - 1 });
    await clock.flush();
    expect(await ledger.leases()).toEqual({ leaseMs: cacheLeaseMaxMs, endedCleanly: false });
  });

  test("are written at the next hello when the register couldn't be written before", async () => {
    const { clock, ledger, start } = restarts();
    const { hello } = await start();
    const setLeases = ledger.setLeases.bind(ledger);
    ledger.setLeases = () => Promise.reject(new BazaarError("STORAGE_UNAVAILABLE", "as the test asked"));
    hello("one", { leaseMs: longMs });
    await clock.flush();
    ledger.setLeases = setLeases;
    hello("two", { leaseMs: longMs });
    await clock.flush();
    expect(await ledger.leases()).toEqual({ leaseMs: longMs, endedCleanly: false });
  });

  test("leave no timer behind after a stop", async () => {
    const { clock, ledger, start } = restarts();
    await ledger.setLeases({ leaseMs: longMs, endedCleanly: false });
    const { catalog, hello } = await start();
    hello("one", { leaseMs: 2 * longMs });
    await catalog.stop();
    expect(clock.timers).toBe(0);
    expect(await ledger.leases()).toEqual({ leaseMs: 2 * longMs, endedCleanly: false });
  });
});

describe("a ledger that was longer before (R2)", () => {
  const ordersMissing = 4;

  /** Makes each call in turn; returns "answered" or the error code for each. */
  async function answers(catalog: Catalog, term: number) {
    const calls: Record<string, () => Promise<unknown>> = {
      lookup: () => catalog.lookup(["FishCo"]),
      stocks: () => catalog.stocks(allStocks),
      // This order was settled long ago.
      settle: () => catalog.settle(1),
      ordersAfter: () => catalog.ordersAfter(0, 10),
      register: () => catalog.register(),
      apply: () => catalog.apply({ term, last: undefined, calls: [callOf(tradeOf("later"))] }),
      restock: () => catalog.restock({ term, last: undefined, quantity: 10, after: "" }),
      acquire: () => catalog.acquire({ replica: 1, term, last: undefined }),
    };
    const results: Record<string, string> = {};
    for (const [name, call] of Object.entries(calls)) {
      results[name] = await call().then(
        () => "answered",
        (error: unknown) => BazaarError.from(error).code,
      );
    }
    const near = recorder<TailReply>();
    catalog.tail(near).send(tailRequestOf("new", "hello"));
    return { ...results, hello: near.ends[0] ?? "answered" };
  }
  const calls = ["lookup", "stocks", "settle", "ordersAfter", "register", "apply", "restock", "acquire", "hello"];
  const everything = (result: string) => Object.fromEntries(calls.map((name) => [name, result]));

  /** A ledger that ends at order 1, and the evidence that it had more orders. */
  async function shortened() {
    const made = await scenario();
    const { catalog, life, buy } = made;
    await buy("a");
    const [first] = await catalog.ordersAfter(0, 1);
    if (!first) throw new Error("order 1 isn't there");
    return { ...made, first, seen: { life, head: 1 + ordersMissing }, last: orderOf(1 + ordersMissing) };
  }
  type Shortened = Awaited<ReturnType<typeof shortened>>;
  const reports: [request: string, report: (shortened: Shortened) => Promise<unknown>][] = [
    ["a hello", async ({ session, seen }) => session("reporter", "", seen)],
    ["a lookup", ({ catalog, seen }) => catalog.lookup(["FishCo"], seen)],
    ["a list of the stocks", ({ catalog, seen }) => catalog.stocks(allStocks, seen)],
    ["a front-end's read of the register", ({ catalog, seen }) => catalog.register(seen)],
    ["a follower's read of the register", ({ catalog, last }) => catalog.register(undefined, last)],
    ["an Apply", ({ catalog, last }) => catalog.apply({ term: 1, last, calls: [callOf()] })],
    ["a restock", ({ catalog, last }) => catalog.restock({ term: 1, last, quantity: 10, after: "" })],
    ["an Acquire", ({ catalog, last }) => catalog.acquire({ replica: 2, term: 1, last })],
    [
      "an Apply of a later term",
      ({ catalog, first }) => catalog.apply({ term: 2, last: { ...first, term: 2 }, calls: [callOf()] }),
    ],
    [
      "a restock of a later term",
      ({ catalog, first }) => catalog.restock({ term: 2, last: { ...first, term: 2 }, quantity: 10, after: "" }),
    ],
    ["an Acquire after a later term", ({ catalog, last }) => catalog.acquire({ replica: 2, term: 7, last })],
    [
      "an Acquire with an order of a later term",
      ({ catalog, first }) => catalog.acquire({ replica: 2, term: 1, last: { ...first, term: 2 } }),
    ],
  ];

  test.each(reports)("refuses every call as soon as %s reports it", async (_request, report) => {
    const made = await shortened();
    const { clock, ledger, catalog, session } = made;
    const open = session("open");
    await catalog.apply({ term: 1, last: undefined, calls: [callOf(tradeOf("b"))] });
    const waiting = [observe(catalog.settle(2)), made.lookup(), observe(catalog.settle(99))];
    await clock.flush();
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    await report(made).catch(() => {});
    await clock.flush();
    expect(waiting.map(({ code }) => code)).toEqual(["DIVERGED", "DIVERGED", "DIVERGED"]);
    expect(open.ends).toEqual(["DIVERGED"]);
    expect(await answers(catalog, 1)).toEqual(everything("DIVERGED"));
    expect(await ledger.register()).toMatchObject({ term: 1, leader: 3, head: 2 });
  });

  test.each(reports.filter(([request]) => request !== "a hello"))(
    "refuses %s that reports it",
    async (_case, report) => {
      const made = await shortened();
      await expect(report(made)).rejects.toMatchObject({
        code: "DIVERGED",
        message: expect.stringMatching(
          /ends at order 1 in term 1, but (had order 5 once|a replica has order [15] of term [12]): is the ledger an old copy\?.*rebuild-catalog/,
        ),
      });
    },
  );

  test("begins no session for the front-end that reports it, and sets no clean mark at the end", async () => {
    const { clock, ledger, catalog, session, seen } = await shortened();
    const reporter = session("reporter", "", seen);
    await clock.flush();
    expect([reporter.messages, reporter.ends]).toEqual([[], ["DIVERGED"]]);
    await clock.advance(keptMs);
    const written: unknown[] = [];
    ledger.setLeases = async (leases) => void written.push(leases);
    await catalog.stop();
    expect(written).toEqual([]);
  });

  test("refuses a write that was already queued", async () => {
    const { clock, ledger, catalog, buy, seen } = await shortened();
    const finish = holdApply(ledger);
    const [inFlight, queued] = [observe(buy("b")), observe(buy("c"))];
    await clock.flush();
    expect(await rejectionCode(catalog.lookup(["FishCo"], seen))).toBe("DIVERGED");
    finish();
    await clock.flush();
    expect([inFlight.state, queued.code]).toEqual(["resolved", "DIVERGED"]);
    expect((await ledger.ordersAfter(0, 10)).map(({ key }) => key)).toEqual(["a", "b"]);
  });

  test("isn't assumed when a replica holds another row at an existing id: only that replica is refused", async () => {
    const { catalog, session, first } = await shortened();
    const open = session("open");
    for (const change of [{ key: "other" }, { createdAt }, { quantity: 2 }]) {
      const last = { ...first, ...change };
      expect(await rejectionCode(catalog.acquire({ replica: 2, term: 1, last }))).toBe("DIVERGED");
      expect(await rejectionCode(catalog.apply({ term: 1, last, calls: [callOf(tradeOf("b"))] }))).toBe("DIVERGED");
      expect(await rejectionCode(catalog.restock({ term: 1, last, quantity: 10, after: "" }))).toBe("DIVERGED");
    }
    expect(open.ends).toEqual([]);
    expect(await answers(catalog, 1)).toEqual(everything("answered"));
  });

  test("isn't assumed when the term of the calling leader has passed: the leader is fenced", async () => {
    const { catalog, first } = await shortened();
    await catalog.acquire({ replica: 2, term: 1, last: first });
    expect(await rejectionCode(catalog.apply({ term: 1, last: first, calls: [callOf(tradeOf("b"))] }))).toBe("FENCED");
    expect(await rejectionCode(catalog.restock({ term: 1, last: first, quantity: 10, after: "" }))).toBe("FENCED");
    expect(await rejectionCode(catalog.acquire({ replica: 3, term: 1, last: first }))).toBe("STALE_TERM");
    expect(await answers(catalog, 2)).toEqual(everything("answered"));
  });

  test("isn't assumed when a front-end has seen a later head of another life", async () => {
    const { clock, catalog, session } = await shortened();
    const seen = { life: "before the rebuild", head: 1000 };
    const reporter = session("reporter", "", seen);
    expect(reporter.messages).toMatchObject([{ sequence: 0, head: 1 }]);
    reporter.goodbye();
    const asked = [
      observe(catalog.lookup(["FishCo"], seen)),
      observe(catalog.stocks(allStocks, seen)),
      observe(catalog.register(seen)),
    ];
    await clock.flush();
    expect(asked.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
    expect(await answers(catalog, 1)).toEqual(everything("answered"));
  });

  test("isn't assumed when a replica has more orders of an earlier life: only that replica is refused", async () => {
    const clock = new ManualClock();
    const database = openSeededCatalog();
    const { term: before } = replayOrders(database, ordersOf(1, 3));
    const ledger = createSqliteLedger(database);
    const catalog = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs });
    await clock.advance(keptMs);
    const longer = orderOf(5);
    expect(await rejectionCode(catalog.acquire({ replica: 2, term: before, last: longer }))).toBe("DIVERGED");
    const { term } = await catalog.acquire({ replica: 1, term: before, last: orderOf(3) });
    expect(await rejectionCode(catalog.apply({ term, last: longer, calls: [callOf()] }))).toBe("DIVERGED");
    expect(await answers(catalog, term)).toEqual(everything("answered"));
    const gone = orderOf(6, { term });
    expect(await rejectionCode(catalog.acquire({ replica: 2, term: term + 1, last: gone }))).toBe("DIVERGED");
    expect(await answers(catalog, term + 1)).toEqual(everything("DIVERGED"));
  });

  test("isn't assumed while an order can be read from the ledger but was not sent on the tails yet", async () => {
    const { clock, ledger, catalog, life, session, buy } = await scenario();
    const finish = holdApply(ledger);
    const bought = observe(buy("a"));
    await clock.flush();
    expect([bought.state, (await ledger.register()).head]).toEqual(["pending", 1]);
    const seen = { life, head: 1 };
    const one = session("one", "", seen);
    const asked = [observe(catalog.register(seen)), observe(catalog.lookup(["FishCo"], seen))];
    await clock.flush();
    expect(asked.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
    const [last] = await catalog.ordersAfter(0, 1);
    expect((await catalog.acquire({ replica: 2, term: 1, last })).term).toBe(2);
    expect(one.messages).toMatchObject([{ sequence: 0, head: 0 }]);
    finish();
    await clock.flush();
    expect(bought.state).toBe("resolved");
    expect(one.messages.at(-1)).toMatchObject({ sequence: -1, head: 1, previousHead: 0 });
    one.goodbye();
    expect(await answers(catalog, 2)).toEqual(everything("answered"));
  });
});

/** From now on `apply` changes the ledger at once, but resolves only when the returned function is called. */
function holdApply(ledger: Ledger): () => void {
  const { apply } = ledger;
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  ledger.apply = async (batch) => {
    const change = await apply(batch);
    await held;
    return change;
  };
  return answer;
}

describe("everything else", () => {
  test("a lookup returns the stocks in the order of the names, and undefined for unknown names", async () => {
    const { clock, catalog } = await scenario();
    const looked = observe(catalog.lookup(["FishCo", "NoSuchCo", "GameStart", "FishCo"]));
    await clock.flush();
    expect(looked.value?.stocks.map((stock) => stock?.name)).toEqual(["FishCo", undefined, "GameStart", "FishCo"]);
  });

  test("a batch that is too large is refused before anything is written", async () => {
    const { catalog } = await scenario();
    expect(
      await rejectionCode(catalog.apply({ last: undefined, term: 1, calls: [callOf(...tradesOf("k", 10_001))] })),
    ).toBe("INVALID_REQUEST");
    expect((await catalog.register()).head).toBe(0);
  });

  test("the ledger's FENCED, STALE_TERM and DIVERGED are passed on unchanged", async () => {
    const { catalog, buy } = await scenario();
    await buy("a");
    expect(await rejectionCode(catalog.apply({ last: undefined, term: 9, calls: [callOf()] }))).toBe("FENCED");
    const [last] = await catalog.ordersAfter(0, 1);
    const asked = { replica: 2, term: 0, last };
    expect(await rejectionCode(catalog.acquire(asked))).toBe("STALE_TERM");
    const other = orderOf(1, { key: "b" });
    expect(await rejectionCode(catalog.acquire({ ...asked, term: 1, last: other }))).toBe("DIVERGED");
  });

  test("rejections are kept for a day and then deleted by a timer", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    // The ledger always keeps the newest rejection, so the test looks at an older one.
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(large, { ...large, key: "newest" })] });
    await clock.advance(24 * hourMs);
    const repeated = await ledger.apply({ last: undefined, term: 1, trades: [large], createdAt });
    expect(repeated.outcomes).toMatchObject([{ status: "rejected", replayed: true }]);
    await clock.advance(2 * hourMs);
    const anew = await ledger.apply({ last: undefined, term: 1, trades: [large], createdAt });
    expect(anew.outcomes).toMatchObject([{ status: "rejected", replayed: false }]);
  });

  test("a failed deletion of rejections is retried, and many rejections are deleted without pauses of a minute", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    const keys = tradesOf("k", 5000).map(({ key }) => ({ ...large, key }));
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(large, ...keys)] });
    const forget = ledger.forgetRejections;
    let failures = 0;
    ledger.forgetRejections = async () => {
      failures += 1;
      throw new Error("the disk is busy");
    };
    await clock.advance(24 * hourMs + 61_000);
    expect(failures).toBeGreaterThan(0);
    let count = 0;
    ledger.forgetRejections = async (upTo, limit) => {
      const forgotten = await forget(upTo, limit);
      count += forgotten;
      return forgotten;
    };
    await clock.advance(61_000);
    expect(count).toBe(5000);
  });

  test("too many calls that wait for settlement are refused, and a page of orders is cut at its maximum", async () => {
    const { clock, catalog, session } = await scenario();
    session("one");
    await catalog.apply({
      last: undefined,
      term: 1,
      calls: [callOf(...tradesOf("a", 10_000, { type: "sell" }))],
    });
    await catalog.apply({
      last: undefined,
      term: 1,
      calls: [callOf(...tradesOf("b", 1, { type: "sell" }))],
    });
    expect(await catalog.ordersAfter(0, 20_000)).toHaveLength(ordersPageMax);
    const waiting = Array.from({ length: 100_000 }, () => catalog.settle(10_001).catch(() => {}));
    expect(await rejectionCode(catalog.settle(10_001))).toBe("OVERLOADED");
    await catalog.stop();
    await clock.flush();
    await Promise.all(waiting);
  });

  test("a call that can't be read is refused alone, and so is one that counts its trades wrongly", async () => {
    const { catalog } = await scenario();
    const sound = callOf(tradeOf("a"));
    const { answers } = await catalog.apply({
      last: undefined,
      term: 1,
      calls: [
        sound,
        { ...sound, trades: "rubbish" },
        callOf(tradeOf("b", { quantity: 0 })),
        { ...callOf(tradeOf("c")), count: 2 },
        callOf(tradeOf("a key\0with a NUL")),
        callOf(),
        callOf(tradeOf("d"), tradeOf("e")),
      ],
    });
    expect(
      answers.map((answer) => ("refused" in answer ? answer.refused.code : unpackOutcomes(answer.outcomes))),
    ).toEqual([
      [accepted(1)],
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      [],
      [accepted(2), accepted(3)],
    ]);
  });

  test("a restock of no units is refused", async () => {
    const { catalog } = await scenario();
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(tradeOf("all", { quantity: 100 }))] });
    const nothing = catalog.restock({ last: undefined, term: 1, quantity: 0, after: "" });
    expect(await rejectionCode(nothing)).toBe("INVALID_REQUEST");
  });

  test("a call with a key or a name that isn't Unicode is refused alone", async () => {
    const { catalog } = await scenario();
    // In the ledger, the two keys would be one.
    const calls = [tradeOf("\ud800"), tradeOf("\udfff"), tradeOf("a", { name: "\ud800" }), tradeOf("b")].map((trade) =>
      callOf(trade),
    );
    const { answers } = await catalog.apply({ last: undefined, term: 1, calls });
    expect(
      answers.map((answer) => ("refused" in answer ? answer.refused.code : unpackOutcomes(answer.outcomes))),
    ).toEqual(["INVALID_REQUEST", "INVALID_REQUEST", "INVALID_REQUEST", [accepted(1)]]);
  });

  test("a failed write doesn't make the next one fail", async () => {
    const { catalog } = await scenario();
    const [old, next] = [0, 1].map((term) =>
      catalog.apply({ last: undefined, term, calls: [callOf(...tradesOf(`term-${term}`, 1))] }),
    );
    expect(await rejectionCode(old ?? Promise.resolve())).toBe("FENCED");
    expect((await next)?.answers).toEqual([{ outcomes: packOutcomes([accepted(1)]) }]);
  });

  test("a wall clock that is corrected by a week makes no rejection old", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    await catalog.apply({ last: undefined, term: 1, calls: [callOf(large, { ...large, key: "newest" })] });
    await clock.advance(hourMs);
    clock.setWall(7 * 24 * hourMs);
    await clock.advance(hourMs);
    const repeated = await ledger.apply({ last: undefined, term: 1, trades: [large], createdAt });
    expect(repeated.outcomes).toMatchObject([{ status: "rejected", replayed: true }]);
  });

  test("stopping rejects waiting calls, ends the tails and leaves no timer", async () => {
    const { clock, catalog, session, buy, lookup } = await scenario();
    const one = session("one");
    await buy("a");
    const looked = lookup();
    await clock.flush();
    await catalog.stop();
    await clock.flush();
    expect(looked.code).toBe("UNAVAILABLE");
    expect(one.ends).toEqual(["UNAVAILABLE"]);
    expect(await rejectionCode(catalog.settle(99))).toBe("UNAVAILABLE");
    expect(clock.timers).toBe(0);
  });
});
