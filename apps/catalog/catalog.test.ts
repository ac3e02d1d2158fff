import type { TailReply, TailRequest } from "@stock-bazaar/shared/api";
import { silentLogger } from "@stock-bazaar/shared/log";
import { describe, expect, test } from "vitest";
import { createdAt, stockOf, tradeOf, tradesOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { memoryLedger } from "../../test/support/order-cluster.ts";
import { recorder } from "../../test/support/streams.ts";
import { Catalog } from "./catalog.ts";

const leaseMs = 500;
const keptMs = 575;
const hourMs = 3_600_000;

/** A catalog that replica 3 leads. `young`: it has only just started. */
async function scenario(options: { young?: boolean } = {}) {
  const clock = new ManualClock();
  const ledger = memoryLedger([stockOf("GameStart", { quantity: 100 }), stockOf("FishCo", { quantity: 50 })]);
  const catalog = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs });
  await catalog.acquire({ replica: 3, term: 0, lastId: 0, lastKey: "" });
  if (!options.young) await clock.advance(keptMs);
  const session = (id: string, replaces = "") => {
    const near = recorder<TailReply>();
    const stream = catalog.tail(near);
    let sequence = 0;
    const send = (kind: TailRequest["kind"], acked = 0) =>
      stream.send({ session: id, kind, acked, sequence, replaces: kind === "hello" ? replaces : "", address: "" });
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
  const buy = (key: string) => catalog.apply({ term: 1, trades: [tradeOf(key)] });
  const lookup = () => observe(catalog.lookup(["GameStart"]));
  return { clock, ledger, catalog, session, buy, lookup };
}

describe("settling (R7)", () => {
  test("with no session open, a lookup tells the newest at once", async () => {
    const { clock, buy, lookup } = await scenario();
    await buy("a");
    const looked = lookup();
    await clock.flush();
    expect(looked.value).toMatchObject([{ quantity: 99, rev: 1 }]);
  });

  test("a lookup and a settle wait until every session has acknowledged the change", async () => {
    const { clock, catalog, session, buy, lookup } = await scenario();
    const [one, two] = [session("one"), session("two")];
    await buy("a");
    const waiting = [lookup(), observe(catalog.settle(1)), observe(catalog.stocks())];
    one.ack(1);
    await clock.flush();
    expect(waiting.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    two.ack(1);
    await clock.flush();
    expect(waiting.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
  });

  test("a stock that has not changed is told though another one is not settled yet", async () => {
    const { clock, catalog, session, buy } = await scenario();
    session("one");
    await buy("a");
    const other = observe(catalog.lookup(["FishCo"]));
    await clock.flush();
    expect(other.value).toMatchObject([{ name: "FishCo", quantity: 50 }]);
  });

  test("a front-end that died is waited for until its lease has run out, and no longer", async () => {
    const { clock, session, buy, lookup } = await scenario();
    session("one").close();
    await buy("a");
    const looked = lookup();
    await clock.advance(keptMs - 1);
    expect(looked.state).toBe("pending");
    await clock.advance(1);
    expect(looked.state).toBe("resolved");
  });

  test("a goodbye, and a hello that replaces, free those who wait at once", async () => {
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

  test("after a start nothing that has changed is told until a lease has passed", async () => {
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

  test("settling what doesn't exist yet waits for it", async () => {
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
  test("answers a hello and every renewal with its own sequence, the head and the length of the lease", async () => {
    const { session, buy } = await scenario();
    await buy("a");
    const one = session("one");
    one.renew(1);
    expect(one.messages).toEqual([
      { sequence: 0, head: 1, leaseMs, changes: [], previousHead: 1, alone: false, frontEnds: [] },
      { sequence: 1, head: 1, leaseMs, changes: [], previousHead: 1, alone: false, frontEnds: [] },
    ]);
  });

  test("tells every session what has changed, once, with each stock as it is now", async () => {
    const { catalog, session } = await scenario();
    const [one, two] = [session("one"), session("two")];
    await catalog.apply({ term: 1, trades: [...tradesOf("g", 2), tradeOf("f", { name: "FishCo" })] });
    const news = {
      sequence: -1,
      head: 3,
      leaseMs,
      changes: [
        stockOf("GameStart", { quantity: 98, volume: 2, rev: 2 }),
        stockOf("FishCo", { quantity: 49, volume: 1, rev: 3 }),
      ],
      previousHead: 0,
      alone: false,
      frontEnds: [],
    };
    expect(one.messages.slice(1)).toEqual([news]);
    expect(two.messages.slice(1)).toEqual([news]);
  });

  test("tells a session that it is alone, as soon as no other may serve", async () => {
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
    const told = one.messages.filter(({ sequence }) => sequence === -1);
    expect(told.map(({ alone }) => alone)).toEqual([true, false, false, true]);
  });

  test("tells of restocks too", async () => {
    const { catalog, session } = await scenario();
    await catalog.apply({ term: 1, trades: [tradeOf("all", { quantity: 100 })] });
    const one = session("one");
    await catalog.restock({ term: 1, quantity: 10 });
    expect(one.messages.at(-1)?.changes).toEqual([stockOf("GameStart", { quantity: 10, volume: 100, rev: 2 })]);
  });

  test("says nothing when nothing has changed", async () => {
    const { catalog, session } = await scenario();
    const one = session("one");
    await catalog.apply({ term: 1, trades: [tradeOf("x", { name: "NoSuchCo" })] });
    expect(one.messages).toHaveLength(1);
  });

  test("ends the stream of a session whose lease has run out, at its next word or the next news", async () => {
    const { clock, session, buy } = await scenario();
    const [speaks, silent] = [session("speaks"), session("silent")];
    await clock.advance(keptMs);
    speaks.renew(0);
    expect(speaks.ends).toEqual(["UNAVAILABLE"]);
    await buy("a");
    expect(silent.ends).toEqual(["UNAVAILABLE"]);
  });

  test("refuses to renew a session that was never begun here, as after a restart", async () => {
    const { catalog } = await scenario();
    const near = recorder<TailReply>();
    catalog
      .tail(near)
      .send({ session: "of an earlier life", kind: "renew", acked: 5, sequence: 4, replaces: "", address: "" });
    expect(near).toMatchObject({ messages: [], ends: ["UNAVAILABLE"] });
  });
});

describe("everything else", () => {
  test("a lookup answers in the order of the names, undefined for those that aren't there", async () => {
    const { clock, catalog } = await scenario();
    const looked = observe(catalog.lookup(["FishCo", "NoSuchCo", "GameStart", "FishCo"]));
    await clock.flush();
    expect(looked.value?.map((stock) => stock?.name)).toEqual(["FishCo", undefined, "GameStart", "FishCo"]);
  });

  test("a batch that is too large, or has a key that could not be found again, is refused before it is begun", async () => {
    const { catalog } = await scenario();
    expect(await rejectionCode(catalog.apply({ term: 1, trades: tradesOf("k", 10_001) }))).toBe("INVALID_REQUEST");
    expect(await rejectionCode(catalog.apply({ term: 1, trades: [tradeOf("k\0")] }))).toBe("INVALID_REQUEST");
    expect((await catalog.register()).head).toBe(0);
  });

  test("FENCED, STALE_TERM and DIVERGED come from the ledger as they are", async () => {
    const { catalog, buy } = await scenario();
    await buy("a");
    expect(await rejectionCode(catalog.apply({ term: 9, trades: [] }))).toBe("FENCED");
    const asked = { replica: 2, term: 0, lastId: 1, lastKey: "a" };
    expect(await rejectionCode(catalog.acquire(asked))).toBe("STALE_TERM");
    expect(await rejectionCode(catalog.acquire({ ...asked, term: 1, lastKey: "b" }))).toBe("DIVERGED");
  });

  test("rejections are kept for a day and then forgotten, without anybody asking", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    // The newest always stays: it must not be the one that is looked at.
    await catalog.apply({ term: 1, trades: [large, { ...large, key: "newest" }] });
    await clock.advance(24 * hourMs);
    const repeated = await ledger.apply({ term: 1, trades: [large], createdAt });
    expect(repeated.outcomes).toMatchObject([{ status: "rejected", replayed: true }]);
    await clock.advance(2 * hourMs);
    const anew = await ledger.apply({ term: 1, trades: [large], createdAt });
    expect(anew.outcomes).toMatchObject([{ status: "rejected", replayed: false }]);
  });

  test("rejections that can't be forgotten now are forgotten later, many of them without a pause of a minute", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    const keys = tradesOf("k", 5000).map(({ key }) => ({ ...large, key }));
    await catalog.apply({ term: 1, trades: [large, ...keys] });
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

  test("more calls than can wait for settlement, and more orders than one message holds, are refused or cut", async () => {
    const { clock, catalog, session } = await scenario();
    session("one");
    await catalog.apply({ term: 1, trades: tradesOf("a", 10_000).map((trade) => ({ ...trade, type: "sell" })) });
    await catalog.apply({ term: 1, trades: tradesOf("b", 1).map((trade) => ({ ...trade, type: "sell" })) });
    expect(await catalog.ordersAfter(0, 20_000)).toHaveLength(10_000);
    const waiting = Array.from({ length: 100_000 }, () => catalog.settle(10_001).catch(() => {}));
    expect(await rejectionCode(catalog.settle(10_001))).toBe("OVERLOADED");
    await catalog.stop();
    await clock.flush();
    await Promise.all(waiting);
  });

  test("a write that fails is no reason for the next to fail", async () => {
    const { catalog } = await scenario();
    const [old, next] = [0, 1].map((term) => catalog.apply({ term, trades: tradesOf(`term-${term}`, 1) }));
    expect(await rejectionCode(old ?? Promise.resolve())).toBe("FENCED");
    expect((await next)?.outcomes).toMatchObject([{ status: "accepted" }]);
  });

  test("a wall clock that is set right by a week makes nothing old", async () => {
    const { clock, ledger, catalog } = await scenario();
    const large = tradeOf("a", { quantity: 1000 });
    await catalog.apply({ term: 1, trades: [large, { ...large, key: "newest" }] });
    await clock.advance(hourMs);
    clock.setWall(7 * 24 * hourMs);
    await clock.advance(hourMs);
    const repeated = await ledger.apply({ term: 1, trades: [large], createdAt });
    expect(repeated.outcomes).toMatchObject([{ status: "rejected", replayed: true }]);
  });

  test("stopping refuses those who wait, ends the tails and leaves no timer", async () => {
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
