import { openOrdersInMemory } from "../../test/support/in-memory.ts";
import { Catalog } from "@stock-bazaar/catalog/catalog";
import { type FollowReply, type FollowRequest, restockPageMax } from "@stock-bazaar/shared/api";
import { OrderBatch, unpackOutcomes, unpackTrades } from "@stock-bazaar/shared/batches";
import type { Order, Stock, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test } from "vitest";
import {
  accepted,
  acknowledgementOf,
  asking,
  batchOf,
  callOf,
  orderOf,
  ordersOf,
  positionOf,
  stockOf,
  tailRequestOf,
  traded,
  tradeOf,
  tradesOf,
} from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { catalogOver, leaseMs, memoryLedger } from "../../test/support/order-cluster.ts";
import { recorder, Wire } from "../../test/support/streams.ts";
import { Leader } from "./leader.ts";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";

/** A leader of term 1, connected by a wire to a real catalog. */
async function scenario(
  options: { minCopies?: number; restockIntervalMs?: number; quantity?: number; stocks?: readonly Stock[] } = {},
) {
  const clock = new ManualClock();
  const ledger = memoryLedger(options.stocks ?? [stockOf("GameStart", { quantity: options.quantity ?? 1_000_000 })]);
  const service = await Catalog.start({ ledger, clock, logger: silentLogger, leaseMs });
  await clock.advance(2 * leaseMs);
  const { life } = await service.acquire({ replica: 3, term: 0, last: undefined });
  const wire = new Wire(clock);
  const catalog = catalogOver(wire, service);
  const batches: (readonly Trade[])[] = [];
  const apply = catalog.apply;
  catalog.apply = (request) => {
    batches.push(request.calls.flatMap(({ trades }) => unpackTrades(trades)));
    return apply(request);
  };
  const log = createSqliteOrderLog(openOrdersInMemory());
  const fatal: unknown[] = [];
  let deposed = 0;
  const leader = new Leader({
    term: 1,
    life,
    catalog,
    log,
    clock,
    logger: silentLogger,
    minCopies: options.minCopies ?? 1,
    rpcTimeoutMs: 3000,
    restockIntervalMs: options.restockIntervalMs ?? 0,
    restockQuantity: 100,
    deposed: () => void (deposed += 1),
    fatal: (error) => fatal.push(error),
  });
  leader.start();
  const place = (...trades: Trade[]) =>
    observe(leader.trade(asking(...trades)).then(({ outcomes }) => unpackOutcomes(outcomes)));
  /** Opens a follower's stream that the test controls. */
  const follow = async (position: FollowRequest) => {
    const near = recorder<FollowReply>();
    const stream = leader.follow(near);
    stream.send(position);
    await clock.flush();
    return {
      ...near,
      ids: () => near.messages.flatMap(({ orders }) => orders.rows.map(({ id }) => id)),
      ack: (lastId: number) => stream.send(acknowledgementOf(position.replica, lastId)),
      close: () => stream.close(),
    };
  };
  return { clock, service, life, wire, catalog, batches, log, fatal, leader, place, follow, deposed: () => deposed };
}

const empty = (replica: number): FollowRequest => positionOf(replica, undefined);

describe("batches", () => {
  test("calls that arrive in one turn become one Apply, and each gets its own outcomes", async () => {
    const { clock, batches, place } = await scenario();
    const calls = [place(tradeOf("a")), place(...tradesOf("b", 3)), place(tradeOf("c"))];
    await clock.flush();
    expect(batches.map((batch) => batch.length)).toEqual([5]);
    expect(calls.map(({ value }) => value)).toEqual([
      [accepted(1)],
      [accepted(2), accepted(3), accepted(4)],
      [accepted(5)],
    ]);
  });

  test("calls that queue while one Apply is in flight become the next one, up to 2,000 trades", async () => {
    const { clock, batches, place, wire } = await scenario();
    place(tradeOf("first"));
    await clock.flush();
    wire.freeze();
    place(tradeOf("second"));
    await clock.flush();
    const calls = Array.from({ length: 50 }, (_, index) => place(...tradesOf(`k${index}`, 100)));
    await clock.flush();
    expect(batches).toHaveLength(2);
    wire.thaw();
    await clock.flush();
    expect(batches.map((batch) => batch.length)).toEqual([1, 1, 2000, 2000, 1000]);
    expect(calls.every(({ state }) => state === "resolved")).toBe(true);
  });

  test("a full queue refuses at once, and accepts trades again when it has drained", async () => {
    const { clock, place, wire } = await scenario();
    wire.freeze();
    const taken = Array.from({ length: 10 }, (_, index) => place(...tradesOf(`k${index}`, 2000)));
    const refused = place(tradeOf("one too many"));
    await clock.flush();
    expect(refused.code).toBe("OVERLOADED");
    wire.thaw();
    await clock.flush();
    expect(taken.every(({ state }) => state === "resolved")).toBe(true);
    const next = place(tradeOf("next"));
    await clock.flush();
    expect(next.state).toBe("resolved");
  });
});

describe("an answer (R5)", () => {
  test("is given when the leader has committed the order, though followers hold it already", async () => {
    const { clock, log, place, follow } = await scenario();
    const follower = await follow(empty(1));
    const append = log.append.bind(log);
    let finish = () => {};
    log.append = async (orders) => {
      await new Promise<void>((resolve) => (finish = resolve));
      await append(orders);
    };
    const trade = place(tradeOf("a"));
    await clock.flush();
    follower.ack(1);
    await clock.flush();
    expect(trade.state).toBe("pending");
    finish();
    await clock.flush();
    expect(trade.value).toEqual([accepted(1)]);
    expect(log.lastId).toBe(1);
  });

  test("waits for no follower whose copy isn't demanded", async () => {
    const { clock, place, follow } = await scenario();
    const frozen = [await follow(empty(1)), await follow(empty(2))];
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(frozen.map((follower) => follower.ids())).toEqual([[1], [1]]);
    expect(trade.state).toBe("resolved");
  });

  test("if two copies are required, waits for the faster of two followers", async () => {
    const { clock, place, follow } = await scenario({ minCopies: 2 });
    const [, lively] = [await follow(empty(1)), await follow(empty(2))];
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.state).toBe("pending");
    lively.ack(1);
    await clock.flush();
    expect(trade.state).toBe("resolved");
  });

  test("if two copies are required, is refused before the Apply once no follower was heard from for 500 ms", async () => {
    const { clock, leader, place, follow, batches } = await scenario({ minCopies: 2 });
    const frozen = await follow(empty(1));
    await clock.advance(500);
    expect(leader.liveFollowers).toEqual([1]);
    await clock.advance(1);
    expect(leader.liveFollowers).toEqual([]);
    const refused = place(tradeOf("a"));
    await clock.flush();
    expect([refused.code, batches]).toEqual(["DEPENDENCY_UNAVAILABLE", []]);
    frozen.ack(0);
    const trade = place(tradeOf("a"));
    await clock.flush();
    frozen.ack(1);
    await clock.flush();
    expect(trade.value).toEqual([accepted(1)]);
  });

  test("if two copies are required, is refused at once without a second live replica", async () => {
    const { clock, place, follow, batches } = await scenario({ minCopies: 2 });
    const alone = place(tradeOf("a"));
    await clock.flush();
    expect(alone.code).toBe("DEPENDENCY_UNAVAILABLE");
    expect(batches).toHaveLength(0);
    const second = await follow(empty(2));
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.state).toBe("pending");
    second.ack(1);
    await clock.flush();
    expect(trade.value).toEqual([accepted(1)]);
  });

  test("for a repeated key waits for the copies of its first order", async () => {
    const { clock, place, follow } = await scenario({ minCopies: 2 });
    const second = await follow(empty(2));
    const lost = place(tradeOf("a"));
    await clock.advance(400);
    second.close();
    await clock.advance(2600);
    expect(lost.code).toBe("DEPENDENCY_UNAVAILABLE");
    // Another follower is live, but holds nothing yet.
    const third = await follow(empty(1));
    const early = place(tradeOf("a"));
    await clock.flush();
    expect(early.state).toBe("pending");
    third.ack(1);
    await clock.flush();
    expect(early.value).toEqual([accepted(1, true)]);
  });

  test("for a rejection waits for the copies of every order before it", async () => {
    const { clock, place, follow } = await scenario({ minCopies: 2, quantity: 1 });
    const follower = await follow(empty(2));
    const calls = [place(tradeOf("a")), place(tradeOf("b"))];
    await clock.flush();
    expect(calls.map(({ state }) => state)).toEqual(["pending", "pending"]);
    follower.ack(1);
    await clock.flush();
    expect(calls.map(({ value }) => value)).toMatchObject([[accepted(1)], [{ status: "rejected" }]]);
  });

  test("is given when the changes are settled (R7)", async () => {
    const { clock, service, place } = await scenario();
    const cache = service.tail({ message() {}, ended() {} });
    cache.send(tailRequestOf("s", "hello"));
    const trade = place(tradeOf("a"));
    await clock.advance(100);
    expect(trade.state).toBe("pending");
    cache.send(tailRequestOf("s", "ack", { acked: 1 }));
    await clock.flush();
    expect(trade.state).toBe("resolved");
  });

  test("is given before that to a caller that settles itself, with the head at which it was decided", async () => {
    const { clock, service, leader, life, place } = await scenario();
    const cache = service.tail({ message() {}, ended() {} });
    cache.send(tailRequestOf("s", "hello"));
    const tooMany = tradeOf("b", { quantity: 2_000_000 });
    const early = observe(leader.trade({ ...callOf(tradeOf("a"), tooMany), callerSettles: true }));
    await clock.advance(100);
    const rejected = { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: false } as const;
    expect(early.value).toEqual({ ...traded([accepted(1), rejected], 1), life });
    const both = [observe(leader.trade({ ...callOf(tradeOf("c")), callerSettles: true })), place(tradeOf("d"))];
    await clock.advance(100);
    expect(both.map(({ state }) => state)).toContain("pending");
    cache.send(tailRequestOf("s", "ack", { acked: 3 }));
    await clock.flush();
    expect(both.map(({ state }) => state)).toEqual(["resolved", "resolved"]);
  });
});

describe("the catalog fails", () => {
  test("no answer means that the outcome is unknown: DEPENDENCY_UNAVAILABLE, and the leader keeps the lead", async () => {
    const { clock, wire, place, deposed } = await scenario();
    wire.cut();
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.code).toBe("DEPENDENCY_UNAVAILABLE");
    wire.mend();
    const again = place(tradeOf("a"));
    await clock.flush();
    expect(again.value).toEqual([accepted(1)]);
    expect(deposed()).toBe(0);
  });

  test("an Apply whose answer was lost leaves no gap: its orders are read after the next one", async () => {
    const { clock, catalog, service, log, place } = await scenario();
    const usual = catalog.apply;
    catalog.apply = async (request) => {
      await usual(request);
      catalog.apply = usual;
      throw new BazaarError("UNAVAILABLE", "the answer was lost");
    };
    const lost = place(...tradesOf("a", 3));
    await clock.flush();
    expect(lost.code).toBe("DEPENDENCY_UNAVAILABLE");
    expect(log.lastId).toBe(0);
    const next = place(tradeOf("b"), tradeOf("a-1"));
    await clock.flush();
    expect(next.value).toEqual([accepted(4), accepted(2, true)]);
    expect(await log.after(0, 10)).toEqual(await service.ordersAfter(0, 10));
  });

  test("a slow write, while reads are answered, doesn't count as an unreachable catalog", async () => {
    const { clock, catalog, leader, place, deposed } = await scenario();
    const usual = catalog.apply;
    catalog.apply = () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer in 3000 ms"));
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect([trade.code, leader.reachesCatalog, deposed()]).toEqual(["DEPENDENCY_UNAVAILABLE", true, 0]);
    catalog.apply = usual;
    const again = place(tradeOf("a"));
    await clock.flush();
    expect(again.value).toEqual([accepted(1)]);
  });

  test("the leader reports whether it reaches the catalog, with trades and without", async () => {
    const { clock, wire, leader, place } = await scenario();
    expect(leader.reachesCatalog).toBe(true);
    wire.cut();
    place(tradeOf("a"));
    await clock.flush();
    expect(leader.reachesCatalog).toBe(false);
    wire.mend();
    await clock.advance(200);
    expect(leader.reachesCatalog).toBe(true);
    wire.cut();
    await clock.advance(1100);
    expect(leader.reachesCatalog).toBe(false);
    wire.mend();
    await clock.advance(1100);
    expect(leader.reachesCatalog).toBe(true);
  });

  test.each(["STORAGE_UNAVAILABLE", "OVERLOADED"] as const)(
    "%s comes from a catalog that is reached: no other leader would do better",
    async (code) => {
      const { clock, catalog, leader, place, deposed } = await scenario();
      catalog.apply = () => Promise.reject(new BazaarError(code, "as the test asked"));
      const trade = place(tradeOf("a"));
      await clock.flush();
      expect([trade.code, leader.reachesCatalog, deposed()]).toEqual(["DEPENDENCY_UNAVAILABLE", true, 0]);
    },
  );

  test("each Apply and restock carries the last accepted order, even if it isn't stored yet", async () => {
    const { clock, service, catalog, log, place } = await scenario({ restockIntervalMs: 500, quantity: 2 });
    const asked: [what: string, last: Order | undefined][] = [];
    const { apply, restock } = catalog;
    catalog.apply = (request) => {
      asked.push(["apply", request.last]);
      return apply(request);
    };
    catalog.restock = (request) => {
      asked.push(["restock", request.last]);
      return restock(request);
    };
    log.append = () => new Promise(() => {});
    place(tradeOf("a"));
    await clock.flush();
    place(tradeOf("b"));
    await clock.flush();
    await clock.advance(500);
    place(tradeOf("c"));
    await clock.flush();
    const [first, second, third] = await service.ordersAfter(0, 10);
    expect(third).toMatchObject({ type: "restock" });
    expect(asked).toEqual([
      ["apply", undefined],
      ["apply", first],
      ["restock", second],
      ["apply", third],
    ]);
    expect(log.lastId).toBe(0);
  });

  test("DIVERGED from an Apply deposes the leader, and nothing is stored", async () => {
    const { clock, service, catalog, log, place, deposed } = await scenario();
    place(tradeOf("a"));
    await clock.flush();
    const { apply } = catalog;
    catalog.apply = (request) => apply({ ...request, last: orderOf(1, { key: "of another ledger" }) });
    const trade = place(tradeOf("b"));
    await clock.flush();
    expect([trade.code, deposed()]).toEqual(["DIVERGED", 1]);
    expect([log.lastId, (await service.register()).head]).toEqual([1, 1]);
  });

  test("DIVERGED from a restock deposes it too", async () => {
    const { clock, service, catalog, place, deposed } = await scenario({ restockIntervalMs: 500, quantity: 1 });
    place(tradeOf("all"));
    await clock.flush();
    const { restock } = catalog;
    catalog.restock = (request) => restock({ ...request, last: orderOf(1, { key: "of another ledger" }) });
    await clock.advance(500);
    expect(deposed()).toBe(1);
    expect((await service.register()).head).toBe(1);
  });

  test("FENCED deposes it, and the trade is rejected with NOT_LEADER", async () => {
    const { clock, service, place, deposed } = await scenario();
    await service.acquire({ replica: 2, term: 1, last: undefined });
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.code).toBe("NOT_LEADER");
    expect(deposed()).toBe(1);
    expect(await service.ordersAfter(0, 10)).toEqual([]);
  });
});

describe("followers (R4)", () => {
  test("an empty one gets all orders, then new ones", async () => {
    const { clock, leader, place, follow } = await scenario();
    place(...tradesOf("a", 1500));
    await clock.flush();
    const follower = await follow(empty(1));
    expect(follower.ids()).toEqual(ordersOf(1, 1500).map(({ id }) => id));
    expect(leader.liveFollowers).toEqual([1]);
    place(tradeOf("b"));
    await clock.advance(20);
    expect(follower.ids().at(-1)).toBe(1501);
  });

  test("get new orders together, at most every 20 ms; at once if their copies are waited for", async () => {
    for (const { minCopies, messages } of [
      { minCopies: 1, messages: [[1], [2, 3]] },
      { minCopies: 2, messages: [[1], [2], [3]] },
    ]) {
      const { clock, place, follow } = await scenario({ minCopies });
      const follower = await follow(empty(1));
      for (const key of ["a", "b", "c"]) {
        place(tradeOf(key));
        await clock.flush();
        follower.ack(follower.ids().at(-1) ?? 0);
        await clock.flush();
      }
      await clock.advance(20);
      const ids = follower.messages.map(({ orders }) => orders.rows.map(({ id }) => id));
      expect(ids.filter(({ length }) => length > 0)).toEqual(messages);
    }
  });

  test("one that holds another order is refused with DIVERGED, one that is ahead with NOT_LEADER", async () => {
    const { clock, log, place, follow } = await scenario();
    place(...tradesOf("a", 3));
    await clock.flush();
    const second = await log.get(2);
    if (!second) throw new Error("order 2 isn't stored");
    const others = [{ key: "other" }, { quantity: 2 }, { createdAt: "2025-01-01T00:00:00.000Z" }, { term: 2 }];
    for (const change of others) {
      expect((await follow(positionOf(1, { ...second, ...change }))).ends).toEqual(["DIVERGED"]);
    }
    expect((await follow(positionOf(1, orderOf(9)))).ends).toEqual(["NOT_LEADER"]);
    const sound = await follow(positionOf(1, second));
    expect([sound.ends, sound.ids()]).toEqual([[], [3]]);
  });

  test("one that acknowledges more than it was sent is refused, and isn't live", async () => {
    const { clock, leader, place, follow } = await scenario({ minCopies: 2 });
    const follower = await follow(empty(1));
    follower.ack(5);
    expect(follower.ends).toEqual(["INVALID_REQUEST"]);
    expect(leader.liveFollowers).toEqual([]);
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.code).toBe("DEPENDENCY_UNAVAILABLE");
  });

  test("of two streams of the same replica, only the newer one counts", async () => {
    const { clock, leader, place, follow } = await scenario({ minCopies: 2 });
    const old = await follow(empty(1));
    const newer = await follow(empty(1));
    expect(old.ends).toEqual(["UNAVAILABLE"]);
    const trade = place(tradeOf("a"));
    await clock.flush();
    old.ack(1);
    old.close();
    await clock.flush();
    expect([trade.state, leader.liveFollowers]).toEqual(["pending", [1]]);
    newer.ack(1);
    await clock.flush();
    expect(trade.state).toBe("resolved");
  });

  test("one that disconnects while its last order is compared is not attached", async () => {
    const { clock, log, leader, place } = await scenario();
    place(tradeOf("a"));
    await clock.flush();
    const stream = leader.follow(recorder<FollowReply>());
    stream.send(positionOf(1, log.last));
    stream.close();
    await clock.flush();
    expect(leader.liveFollowers).toEqual([]);
  });

  test("one whose last order is being compared when the leader stops gets NOT_LEADER", async () => {
    const { clock, log, leader, place } = await scenario();
    place(tradeOf("a"));
    await clock.flush();
    const near = recorder<FollowReply>();
    leader.follow(near).send(positionOf(1, log.last));
    leader.stop(new BazaarError("NOT_LEADER", "stepped down"));
    await clock.flush();
    expect([near.messages, near.ends]).toEqual([[], ["NOT_LEADER"]]);
  });

  test("one that is frozen costs a bounded amount of memory, loses its stream, and catches up on a new one", async () => {
    const { clock, log, place, follow } = await scenario();
    const frozen = await follow(empty(1));
    for (let batch = 0; batch < 10; batch += 1) place(...tradesOf(`k${batch}`, 2000));
    await clock.advance(20);
    expect(log.lastId).toBe(20_000);
    expect(frozen.ids()).toHaveLength(8000);
    await clock.advance(5100);
    expect(frozen.ends).toEqual(["UNAVAILABLE"]);
    const sent = frozen.messages.length;
    place(tradeOf("after"));
    await clock.advance(1000);
    expect(frozen.messages).toHaveLength(sent);

    const again = await follow(positionOf(1, await log.get(8000)));
    for (let rounds = 0; rounds < 20; rounds += 1) {
      again.ack(again.ids().at(-1) ?? 8000);
      await clock.flush();
    }
    expect(again.ids()).toEqual(ordersOf(8001, 20_001).map(({ id }) => id));
  });

  test("get a sign of life every 100 ms, and one that is silent for 5 s loses its stream", async () => {
    const { clock, follow } = await scenario();
    const [lively, frozen] = [await follow(empty(1)), await follow(empty(2))];
    for (let beats = 0; beats < 60; beats += 1) {
      await clock.advance(100);
      lively.ack(0);
    }
    expect(lively.messages.length).toBeGreaterThanOrEqual(60);
    expect([lively.ends, frozen.ends]).toEqual([[], ["UNAVAILABLE"]]);
  });
});

describe("restock", () => {
  test("happens at its interval, through the same queue as trades", async () => {
    const { clock, service, log, place, follow } = await scenario({ restockIntervalMs: 1000, quantity: 2 });
    const follower = await follow(empty(1));
    const all = place(tradeOf("a", { quantity: 2 }));
    await clock.flush();
    follower.ack(1);
    await clock.advance(1000);
    expect(all.state).toBe("resolved");
    expect(log.lastId).toBe(2);
    expect(follower.ids()).toEqual([1, 2]);
    expect(await service.ordersAfter(1, 10)).toMatchObject([{ id: 2, type: "restock", quantity: 100 }]);
    await clock.advance(3000);
    expect(log.lastId).toBe(2);
  });

  test("of more stocks than fit into a message goes in pages, with trades between them", async () => {
    const count = 2 * restockPageMax + 500;
    const empty = Array.from({ length: count }, (_, index) => stockOf(`Stock${10_000 + index}`, { quantity: 0 }));
    const stocks = [...empty, stockOf("GameStart")];
    const { clock, catalog, service, place } = await scenario({ restockIntervalMs: 1000, stocks });
    const { restock } = catalog;
    const pages: number[] = [];
    const placed: ReturnType<typeof place>[] = [];
    catalog.restock = async (request) => {
      placed.push(place(tradeOf(`during-${pages.length}`)));
      const applied = await restock(request);
      pages.push(applied.orders.rows.length);
      return applied;
    };
    await clock.advance(1900);
    expect(pages).toEqual([restockPageMax, restockPageMax, 500]);
    expect(placed.map(({ value }) => value)).toEqual([
      [accepted(restockPageMax + 1)],
      [accepted(2 * restockPageMax + 2)],
      [accepted(count + 3)],
    ]);
    expect((await service.register()).head).toBe(count + 3);
    await clock.advance(1000);
    expect(pages).toHaveLength(4);
  });

  test("that fails is retried at the next interval", async () => {
    const { clock, wire, log, place } = await scenario({ restockIntervalMs: 1000, quantity: 2 });
    place(tradeOf("a", { quantity: 2 }));
    await clock.flush();
    wire.cut();
    await clock.advance(1000);
    wire.mend();
    await clock.advance(1000);
    expect(log.lastId).toBe(2);
  });
});

test("a leader that catches up with a long ledger stores all of it before it serves", async () => {
  const { clock, service, log, leader } = await scenario();
  for (let batch = 0; batch < 6; batch += 1) {
    await service.apply({ last: undefined, term: 1, calls: [callOf(...tradesOf(`k${batch}`, 2000))] });
  }
  const caughtUp = observe(leader.catchUp(12_000));
  await clock.flush();
  expect(caughtUp.state).toBe("resolved");
  expect(log.lastId).toBe(12_000);
});

test("a leader that is stopped rejects waiting and new trades, and ends its streams", async () => {
  const { clock, wire, leader, place, follow } = await scenario();
  const follower = await follow(empty(1));
  wire.freeze();
  const underWay = place(tradeOf("a"));
  await clock.flush();
  const waiting = place(tradeOf("b"));
  leader.stop(new BazaarError("NOT_LEADER", "another replica leads"));
  const late = place(tradeOf("c"));
  await clock.flush();
  expect([waiting.code, late.code]).toEqual(["NOT_LEADER", "NOT_LEADER"]);
  expect(follower.ends).toEqual(["NOT_LEADER"]);
  wire.thaw();
  await clock.flush();
  expect(underWay.state).toBe("rejected");
});

test("a failing disk is fatal, and nothing is acknowledged", async () => {
  const { clock, log, fatal, place } = await scenario();
  log.append = () => Promise.reject(new Error("disk full"));
  const trade = place(tradeOf("a"));
  await clock.advance(1000);
  expect(fatal).toMatchObject([{ message: "disk full" }]);
  expect(trade.state).toBe("pending");
});

test.each([
  ["fewer", [traded([accepted(2)])]],
  ["more", [traded([accepted(2)]), traded([accepted(1)]), traded([accepted(2)])]],
])("with %s answers than calls no call gets an outcome, which may be that of another", async (_case, answers) => {
  const { clock, catalog, log, place } = await scenario();
  catalog.apply = async () => ({ answers, orders: batchOf(1, 2), head: 2 });
  catalog.settle = async () => {};
  const calls = [place(tradeOf("a")), place(tradeOf("b"))];
  await clock.flush();
  expect(calls.map(({ code }) => code)).toEqual(["INTERNAL_ERROR", "INTERNAL_ERROR"]);
  expect(log.lastId).toBe(2);
});

test("a ledger that lacks orders below its head causes DIVERGED", async () => {
  const { clock, catalog, log, place } = await scenario();
  catalog.apply = async () => ({ answers: [traded([accepted(7)])], orders: batchOf(7, 7), head: 7 });
  const trade = place(tradeOf("a"));
  await clock.flush();
  expect(trade.code).toBe("DIVERGED");
  expect(log.lastId).toBe(0);
});

describe("catching up with the ledger", () => {
  test("reads at most two chunks ahead of the disk", async () => {
    const { clock, service, catalog, log, leader } = await scenario();
    for (let batch = 0; batch < 6; batch += 1)
      await service.apply({ last: undefined, term: 1, calls: [callOf(...tradesOf(`old-${batch}`, 5000))] });
    let reads = 0;
    const { ordersAfter } = catalog;
    catalog.ordersAfter = (afterId, limit) => {
      reads += 1;
      return ordersAfter(afterId, limit);
    };
    const { append } = log;
    let write = () => {};
    log.append = async (orders) => {
      await new Promise<void>((resolve) => (write = resolve));
      return append(orders);
    };
    const caughtUp = observe(leader.catchUp(30_000));
    await clock.flush();
    expect(reads).toBeLessThanOrEqual(4);
    log.append = append;
    write();
    await clock.flush();
    expect([caughtUp.state, log.lastId, reads]).toEqual(["resolved", 30_000, 6]);
  });
});

describe("without trades", () => {
  test("a leader that missed the hint detects that another replica leads", async () => {
    const { clock, service, deposed } = await scenario();
    await service.acquire({ replica: 2, term: 1, last: undefined });
    expect(deposed()).toBe(0);
    await clock.advance(1100);
    expect(deposed()).toBeGreaterThan(0);
  });

  test("it keeps asking for as long as it leads", async () => {
    const { clock, service, deposed, batches } = await scenario();
    await clock.advance(3500);
    expect(batches).toEqual([[], [], []]);
    await service.acquire({ replica: 2, term: 1, last: undefined });
    await clock.advance(1100);
    expect(deposed()).toBe(1);
  });

  test("an order whose Apply answer was lost is read from the ledger", async () => {
    const { clock, service, catalog, log, place } = await scenario();
    const apply = catalog.apply;
    catalog.apply = async (request) => {
      await service.apply(request);
      catalog.apply = apply;
      throw new BazaarError("UNAVAILABLE", "the answer was lost");
    };
    const trade = place(tradeOf("a"));
    await clock.flush();
    expect(trade.code).toBe("DEPENDENCY_UNAVAILABLE");
    expect(log.lastId).toBe(0);
    await clock.advance(1100);
    expect([log.last]).toEqual(await service.ordersAfter(0, 10));
    expect(log.last).toMatchObject({ id: 1, key: "a" });
  });
});

describe("a ledger that was replaced by an old copy", () => {
  test("a number that another order already has is never returned, and the leader steps down", async () => {
    const { clock, catalog, place, deposed } = await scenario();
    const first = place(tradeOf("a"));
    await clock.flush();
    expect(first.value).toEqual([accepted(1)]);
    const orders = new OrderBatch([orderOf(1, { key: "b" })]);
    catalog.apply = async () => ({ answers: [traded([accepted(1)])], orders, head: 1 });
    const second = place(tradeOf("b"));
    await clock.flush();
    expect(second.code).toBe("DIVERGED");
    expect(deposed()).toBe(1);
  });

  test("a FENCED that arrives after the leader has stopped deposes no leader", async () => {
    const { clock, service, wire, leader, place, deposed } = await scenario();
    wire.freeze();
    const trade = place(tradeOf("a"));
    await clock.flush();
    leader.stop(new BazaarError("NOT_LEADER", "stepped down"));
    await service.acquire({ replica: 3, term: 1, last: undefined });
    wire.thaw();
    await clock.flush();
    expect(trade.code).toBe("NOT_LEADER");
    expect(deposed()).toBe(0);
  });
});
