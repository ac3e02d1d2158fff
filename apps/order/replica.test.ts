import type { FollowReply, ReplicaStatus } from "@stock-bazaar/shared/api";
import { OrderBatch } from "@stock-bazaar/shared/batches";
import { describe, expect, test } from "vitest";
import { accepted, asking, orderOf, positionOf, tradeOf, tradesOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { OrderCluster, type OrderClusterOptions } from "../../test/support/order-cluster.ts";
import { recorder } from "../../test/support/streams.ts";

const start = (options?: OrderClusterOptions) => OrderCluster.start(new ManualClock(), options);

/** Expects that each replica holds the whole ledger, row for row, and that no disk has failed. */
async function expectEqualReplicas(cluster: OrderCluster, ids: readonly number[]): Promise<void> {
  const ledger = await cluster.ledger();
  for (const id of ids) {
    expect(cluster.node(id).fatal).toEqual([]);
    expect(await cluster.orders(id)).toEqual(ledger);
  }
}

describe("one leader and its followers", () => {
  test("a trade is on every replica when it is answered", async () => {
    const cluster = await start();
    await cluster.lead(3);
    expect(await cluster.trade(3, [tradeOf("a"), tradeOf("b")])).toEqual([accepted(1), accepted(2)]);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("a replica that doesn't lead refuses trades and lists of orders, and names the leader", async () => {
    const cluster = await start();
    expect(await rejectionCode(cluster.node(3).replica.trade(asking(tradeOf("a"))))).toBe("NOT_LEADER");
    await cluster.lead(3);
    await expect(cluster.node(1).replica.trade(asking(tradeOf("a")))).rejects.toThrow(/replica 3 leads/);
    expect(await rejectionCode(cluster.node(1).replica.orders({ before: 0, limit: 10 }))).toBe("NOT_LEADER");
  });

  test("a replica that doesn't lead refuses a follower at once", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const near = recorder<FollowReply>();
    cluster.node(1).replica.follow(near).send(positionOf(2, undefined));
    await cluster.clock.flush();
    expect(near.ends).toEqual(["NOT_LEADER"]);
  });

  test("one replica alone is enough", async () => {
    const cluster = await start({ ids: [4] });
    await cluster.lead(4);
    expect(await cluster.trade(4, [tradeOf("a")])).toEqual([accepted(1)]);
  });

  test("a follower that was away for 2,500 orders catches up while more arrive", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.kill(1);
    for (let batch = 0; batch < 5; batch += 1) await cluster.trade(3, tradesOf(`away-${batch}`, 500));
    await cluster.restart(1);
    for (let batch = 0; batch < 5; batch += 1) {
      await cluster.clock.advance(30);
      await cluster.trade(3, tradesOf(`back-${batch}`, 10));
    }
    await cluster.clock.advance(1000);
    await expectEqualReplicas(cluster, [1, 2, 3]);
    expect(await cluster.ledger()).toHaveLength(2550);
  });

  test("a follower that is killed doesn't delay trades", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.kill(1);
    await cluster.kill(2);
    expect(await cluster.trade(3, [tradeOf("a")])).toEqual([accepted(1)]);
  });
});

test("a replica tells what it holds in every role, and without a catalog", async () => {
  const cluster = await start();
  await cluster.lead(3);
  await cluster.trade(3, [tradeOf("a"), tradeOf("b"), tradeOf("c")]);
  await cluster.clock.advance(100);
  const ledger = await cluster.ledger();
  for (const id of [1, 2, 3]) cluster.node(id).catalogWire.cut();
  for (const id of [1, 2, 3]) {
    const { replica } = cluster.node(id);
    expect(await replica.readCopy(0, 5000)).toEqual({ orders: ledger, lastId: 3, isWhole: true });
    expect(await replica.readCopy(1, 1)).toEqual({ orders: ledger.slice(1, 2), lastId: 3, isWhole: true });
    expect(await replica.readCopy(0, 0)).toEqual({ orders: [], lastId: 3, isWhole: true });
  }
});

describe("a read of an order (R6)", () => {
  test("is answered by any replica, and a miss is confirmed with the ledger", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.kill(1);
    await cluster.trade(3, [tradeOf("a")]);
    const behind = cluster.node(1);
    behind.catalogWire.mend();
    expect(await behind.log.get(1)).toBeUndefined();
    const read = behind.replica.order(1);
    await cluster.clock.flush();
    expect((await read)?.key).toBe("a");
    const none = behind.replica.order(2);
    await cluster.clock.flush();
    expect(await none).toBeUndefined();
  });

  test("never reports an order as missing when the ledger doesn't answer", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.trade(3, [tradeOf("a")]);
    cluster.node(3).catalogWire.cut();
    expect((await cluster.node(3).replica.order(1))?.key).toBe("a");
    const miss = observe(cluster.node(3).replica.order(2));
    await cluster.clock.flush();
    expect(miss.code).toBe("UNAVAILABLE");
  });
});

describe("a takeover (R1)", () => {
  test("the new leader reads the orders that it misses from the ledger before it serves", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.kill(2);
    await cluster.trade(3, tradesOf("a", 100));
    await cluster.restart(2);
    cluster.node(2).outgoing.cut();
    await cluster.kill(3);
    await cluster.lead(2);
    expect(await cluster.orders(2)).toEqual(await cluster.ledger());
    expect(await cluster.trade(2, [tradeOf("a-99"), tradeOf("b")])).toEqual([accepted(100, true), accepted(101)]);
  });

  test("the old leader restarts as a follower of the new one", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.trade(3, tradesOf("a", 10));
    await cluster.kill(3);
    await cluster.lead(2);
    await cluster.trade(2, tradesOf("b", 10));
    await cluster.restart(3);
    await cluster.clock.advance(1000);
    await cluster.trade(2, tradesOf("c", 10));
    await cluster.clock.advance(1000);
    await expectEqualReplicas(cluster, [1, 2, 3]);
    expect(await rejectionCode(cluster.node(3).replica.trade(asking(tradeOf("d"))))).toBe("NOT_LEADER");
  });

  test("a leader that was frozen and wakes up is fenced: it accepts no trade and follows", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const old = cluster.node(3);
    for (const wire of [old.incoming, old.outgoing, old.catalogWire]) wire.freeze();
    const stuck = observe(old.replica.trade(asking(tradeOf("stuck"))));
    await cluster.clock.flush();
    const leading = cluster.node(2).replica.lead(1);
    await cluster.clock.flush();
    await leading;
    await cluster.clock.advance(2000);
    await cluster.trade(2, [tradeOf("a")]);

    for (const wire of [old.incoming, old.outgoing, old.catalogWire]) wire.thaw();
    await cluster.clock.advance(2000);
    expect(stuck.code).toBe("NOT_LEADER");
    expect((await cluster.ledger()).map(({ key }) => key)).toEqual(["a"]);
    await expectEqualReplicas(cluster, [2, 3]);
  });

  test("an answer that reaches a deposed leader corrupts neither its log nor its new stream", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const old = cluster.node(3);
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    const usual = old.catalog.apply;
    old.catalog.apply = async (request) => {
      const applied = await usual(request);
      await held;
      return applied;
    };
    const stuck = observe(old.replica.trade(asking(...tradesOf("a", 5))));
    await cluster.clock.flush();
    // The ledger holds the orders; the next leader reads them, and the old one gets them from it.
    await cluster.lead(2);
    await cluster.clock.advance(1000);
    expect(old.log.lastId).toBe(5);
    answer();
    await cluster.clock.advance(1000);
    expect(old.fatal).toEqual([]);
    expect(stuck.code).toBe("NOT_LEADER");
    await cluster.trade(2, tradesOf("b", 5));
    await cluster.clock.advance(1000);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("orders that are being written when the leader is deposed aren't stored twice", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const old = cluster.node(3);
    const usual = old.catalog.apply;
    old.catalog.apply = async (request) => {
      const applied = await usual(request);
      // The next message to the old leader contains the next leader's term.
      cluster.clock.soon(() => void old.replica.setLeader({ term: 2, leader: 2 }));
      return applied;
    };
    const leading = cluster
      .node(3)
      .replica.trade(asking(...tradesOf("a", 5)))
      .catch(() => []);
    await cluster.clock.flush();
    await leading;
    await cluster.lead(2);
    await cluster.clock.advance(2000);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("a replica that gets two requests to lead at once acquires one term", async () => {
    const cluster = await start();
    const both = [cluster.node(3).replica.lead(0), cluster.node(3).replica.lead(0)];
    await cluster.clock.flush();
    expect(await Promise.all(both)).toEqual([{ term: 1 }, { term: 1 }]);
    expect((await cluster.catalog.register()).term).toBe(1);
  });

  test("a leader that is asked to lead returns its term; asked for a later term, it acquires one", async () => {
    const cluster = await start();
    await cluster.lead(3);
    expect(await cluster.node(3).replica.lead(0)).toEqual({ term: 1 });
    const again = cluster.node(3).replica.lead(1);
    await cluster.clock.flush();
    expect(await again).toEqual({ term: 2 });
    expect(await cluster.trade(3, [tradeOf("a")])).toEqual([accepted(1)]);
    await cluster.clock.advance(1000);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("a replica that is asked to lead after a term that has passed remains a follower", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const refused = observe(cluster.node(2).replica.lead(0));
    await cluster.clock.flush();
    expect(refused.code).toBe("STALE_TERM");
    await cluster.clock.advance(1000);
    await cluster.trade(3, [tradeOf("a")]);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("a replica with a history that differs from the ledger never leads and gets no orders", async () => {
    const cluster = await start();
    cluster.node(2).outgoing.cut();
    await cluster.lead(3);
    await cluster.trade(3, tradesOf("a", 3));
    await cluster.node(2).log.append([orderOf(1, { key: "from another ledger" })]);
    cluster.node(2).outgoing.mend();
    const refused = observe(cluster.node(2).replica.lead(1));
    await cluster.clock.advance(1000);
    expect(refused.code).toBe("DIVERGED");
    expect(await cluster.orders(2)).toHaveLength(1);
    expect(cluster.node(2).fatal).toEqual([]);
  });

  test("while the catalog is away a takeover fails, and a later one succeeds", async () => {
    const cluster = await start();
    cluster.node(3).catalogWire.cut();
    const refused = observe(cluster.node(3).replica.lead(0));
    await cluster.clock.flush();
    expect(refused.code).toBe("DEPENDENCY_UNAVAILABLE");
    cluster.node(3).catalogWire.mend();
    expect(await cluster.lead(3)).toBe(1);
  });

  test("a hint of a later term during a takeover wins: the known term never falls", async () => {
    const cluster = await start();
    const { replica, catalog } = cluster.node(3);
    const usual = catalog.acquire;
    catalog.acquire = async (request) => {
      const register = await usual(request);
      await cluster.catalog.acquire({ replica: 2, term: 1, last: undefined });
      await replica.setLeader({ term: 2, leader: 2 });
      return register;
    };
    const takeover = observe(replica.lead(0));
    await cluster.clock.flush();
    expect(takeover.code).toBe("NOT_LEADER");
    const watcher = recorder<ReplicaStatus>();
    replica.watch(watcher);
    expect(watcher.messages).toMatchObject([{ role: "follower", term: 2, leader: 2 }]);
  });
});

describe("the leader that a replica knows", () => {
  test("a hint is adopted only for a greater term", async () => {
    const cluster = await start();
    const { replica } = cluster.node(1);
    const watcher = recorder<ReplicaStatus>();
    replica.watch(watcher);
    await replica.setLeader({ term: 5, leader: 3 });
    await replica.setLeader({ term: 4, leader: 2 });
    await replica.setLeader({ term: 5, leader: 2 });
    await cluster.clock.advance(50);
    expect(watcher.messages.at(-1)).toMatchObject({ term: 5, leader: 3 });
  });

  test("without a hint, a replica finds the leader in the register", async () => {
    const cluster = await start();
    const leading = cluster.node(3).replica.lead(0);
    await cluster.clock.flush();
    await leading;
    await cluster.clock.advance(2000);
    await cluster.trade(3, [tradeOf("a")]);
    await expectEqualReplicas(cluster, [1, 2, 3]);
  });

  test("a leader that receives a hint of a later term steps down at once", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.node(3).replica.setLeader({ term: 2, leader: 1 });
    expect(await rejectionCode(cluster.node(3).replica.trade(asking(tradeOf("a"))))).toBe("NOT_LEADER");
  });
});

describe("the status for watchers", () => {
  test("is sent at once, at every change of role, and every 50 ms", async () => {
    const cluster = await start({ ids: [1] });
    const watcher = recorder<ReplicaStatus>();
    cluster.node(1).replica.watch(watcher);
    expect(watcher.messages).toMatchObject([{ replica: 1, role: "follower", term: 0, lastId: 0 }]);
    const leading = cluster.node(1).replica.lead(0);
    await cluster.clock.flush();
    await leading;
    expect(watcher.messages.map(({ role }) => role)).toEqual(["follower", "taking-over", "leader"]);
    await cluster.clock.advance(500);
    expect(watcher.messages.length).toBeGreaterThanOrEqual(12);
    expect(watcher.messages.at(-1)).toMatchObject({ role: "leader", term: 1, liveFollowers: [] });
  });

  test("contains whether the leader reaches the catalog, and is always true for a follower", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const [leader, follower] = [recorder<ReplicaStatus>(), recorder<ReplicaStatus>()];
    cluster.node(3).replica.watch(leader);
    cluster.node(1).replica.watch(follower);
    expect(leader.messages).toMatchObject([{ reachesCatalog: true }]);
    for (const id of [1, 3]) cluster.node(id).catalogWire.cut();
    await cluster.clock.advance(1100);
    expect(leader.messages.at(-1)).toMatchObject({ role: "leader", reachesCatalog: false });
    expect(follower.messages.at(-1)).toMatchObject({ role: "follower", reachesCatalog: true });
    cluster.node(3).catalogWire.mend();
    await cluster.clock.advance(1100);
    expect(leader.messages.at(-1)).toMatchObject({ role: "leader", reachesCatalog: true });
  });

  test("contains the live followers", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const watcher = recorder<ReplicaStatus>();
    cluster.node(3).replica.watch(watcher);
    expect(watcher.messages).toMatchObject([{ liveFollowers: [1, 2] }]);
    await cluster.kill(1);
    await cluster.clock.advance(50);
    expect(watcher.messages.at(-1)).toMatchObject({ liveFollowers: [2] });
  });
});

describe("stopping", () => {
  test("a leader without followers answers the accepted calls, refuses new ones, and ends its streams", async () => {
    const cluster = await start({ ids: [3] });
    await cluster.lead(3);
    const { replica } = cluster.node(3);
    const watcher = recorder<ReplicaStatus>();
    replica.watch(watcher);
    const taken = observe(replica.trade(asking(...tradesOf("a", 10))));
    const stopped = observe(replica.stop());
    const late = observe(replica.trade(asking(tradeOf("late"))));
    await cluster.clock.advance(100);
    expect([taken.state, stopped.state, late.code]).toEqual(["resolved", "resolved", "NOT_LEADER"]);
    expect(watcher.ends).toEqual(["NOT_LEADER"]);
    expect(await rejectionCode(replica.lead(1))).toBe("NOT_LEADER");
    expect(cluster.node(3).fatal).toEqual([]);
  });

  test("a leader hands over to the follower with the highest id, and leads until that one does", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const { replica } = cluster.node(3);
    const [own, next] = [recorder<ReplicaStatus>(), recorder<ReplicaStatus>()];
    replica.watch(own);
    cluster.node(2).replica.watch(next);
    cluster.node(2).catalogWire.freeze();
    const stopped = observe(replica.stop());
    const meanwhile = observe(replica.trade(asking(tradeOf("meanwhile"))));
    await cluster.clock.advance(100);
    expect([meanwhile.state, stopped.state, own.ends]).toEqual(["resolved", "pending", []]);
    expect(await rejectionCode(replica.lead(1))).toBe("NOT_LEADER");
    cluster.node(2).catalogWire.thaw();
    await cluster.clock.advance(100);
    expect([stopped.state, own.ends]).toEqual(["resolved", ["NOT_LEADER"]]);
    expect(next.messages.at(-1)).toMatchObject({ role: "leader", term: 2, lastId: 1 });
    expect(await cluster.trade(2, [tradeOf("meanwhile"), tradeOf("after")])).toMatchObject([
      { orderId: 1, replayed: true },
      { orderId: 2 },
    ]);
    await cluster.clock.advance(600);
    expect((await cluster.orders(1)).map(({ key }) => key)).toEqual(["meanwhile", "after"]);
    expect(cluster.node(3).fatal).toEqual([]);
  });

  test("a leader that stops asks the next follower if one doesn't answer, and leaves if none does", async () => {
    const cluster = await start();
    await cluster.lead(3);
    cluster.node(2).incoming.freeze();
    const stopped = observe(cluster.node(3).replica.stop());
    await cluster.clock.advance(600);
    expect(stopped.state).toBe("resolved");
    expect(await cluster.trade(1, [tradeOf("a")])).toEqual([accepted(1)]);

    cluster.node(2).incoming.thaw();
    await cluster.lead(2);
    const { replica } = cluster.node(2);
    cluster.node(1).incoming.freeze();
    const alone = observe(replica.stop());
    await cluster.clock.advance(600);
    expect(alone.state).toBe("resolved");
  });

  test("a leader that stops doesn't hand over to a follower that has much to read", async () => {
    const cluster = await start();
    await cluster.lead(3);
    cluster.node(2).log.append = () => new Promise(() => {});
    for (const part of ["a", "b", "c"]) await cluster.trade(3, tradesOf(part, 500));
    await cluster.clock.advance(300);
    const stopped = observe(cluster.node(3).replica.stop());
    await cluster.clock.advance(100);
    expect(stopped.state).toBe("resolved");
    expect(await cluster.catalog.register()).toMatchObject({ leader: 1, term: 2 });
  });

  test("a stream that is opened to a stopping replica ends with NOT_LEADER and doesn't keep its server open", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const { replica } = cluster.node(3);
    const stopping = replica.stop();
    const watcher = recorder<ReplicaStatus>();
    replica.watch(watcher);
    await cluster.clock.advance(100);
    await stopping;
    expect(watcher.ends).toEqual(["NOT_LEADER"]);
  });

  test("during a restock, nothing is written to a database that is closed", async () => {
    const cluster = await start({ restockIntervalMs: 1000, stocks: [] });
    await cluster.lead(3);
    const { catalog, replica, fatal } = cluster.node(3);
    let restocked = () => {};
    const asked = new Promise<void>((resolve) => (restocked = resolve));
    catalog.restock = async () => {
      restocked();
      return { orders: new OrderBatch([orderOf(1, { type: "restock" })]), head: 1 };
    };
    const stopped = asked.then(() => replica.stop());
    await cluster.clock.advance(2000);
    await stopped;
    await cluster.clock.advance(2000);
    expect(fatal).toEqual([]);
  });

  test("during a takeover, the takeover ends first", async () => {
    const cluster = await start();
    await cluster.lead(3);
    await cluster.kill(2);
    await cluster.trade(3, tradesOf("a", 100));
    await cluster.restart(2);
    cluster.node(2).outgoing.cut();
    const { replica, catalog, fatal } = cluster.node(2);
    let stopping: Promise<void> | undefined;
    const usual = catalog.ordersAfter;
    catalog.ordersAfter = (afterId, limit) => {
      stopping ??= replica.stop();
      return usual(afterId, limit);
    };
    const takeover = observe(replica.lead(1));
    await cluster.clock.advance(1000);
    await stopping;
    expect(stopping).toBeDefined();
    expect(takeover.state).toBe("rejected");
    expect(fatal).toEqual([]);
  });

  test("a follower stops without waiting for another process", async () => {
    const cluster = await start();
    await cluster.lead(3);
    const stopped = observe(cluster.node(1).replica.stop());
    await cluster.clock.flush();
    expect(stopped.state).toBe("resolved");
    expect(await cluster.trade(3, [tradeOf("a")])).toEqual([accepted(1)]);
  });
});
