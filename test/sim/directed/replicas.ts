/** Directed cases of order replicas: which one leads, and which orders they hold (R1, R4, R6). */

import { FollowedStream } from "@stock-bazaar/order/followed-stream";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { openOrdersInMemory } from "../../support/in-memory.ts";
import type { FollowReply, StreamHandlers } from "@stock-bazaar/shared/api";
import { OrderBatch } from "@stock-bazaar/shared/batches";
import type { Order } from "@stock-bazaar/shared/domain";
import { silentLogger } from "@stock-bazaar/process/log";
import { ordersOf, tradeOf } from "../../support/builders.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { OrderCluster } from "../../support/order-cluster.ts";
import type { DirectedCase } from "./directed-case.ts";
import { Story } from "./story.ts";

export const replicaCases: readonly DirectedCase[] = [
  {
    title: "trades go on when only the leader can't reach the catalog",
    async run() {
      const story = new Story({ cacheSizes: [100, 0] });
      story.trade();
      story.world.network.cut("order-3", "catalog");
      story.world.network.cut("catalog", "order-3");
      for (const frontEnd of [1, 2]) {
        const answer = story.trade({ frontEnd, withinMs: 10_000 });
        story.expect(`I8: the answer to a trade through front-end ${frontEnd}`, typeof answer, "number");
      }
      return story.end();
    },
  },
  {
    title: "trades go on when the leader dies and the replica with the next highest id can't reach the catalog",
    async run() {
      const story = new Story();
      story.trade();
      const [, second, third] = story.world.replicas;
      if (!second || !third) return ["there are no three replicas"];
      story.world.network.cut(second.name, "catalog");
      story.world.network.cut("catalog", second.name);
      story.world.kill(third);
      story.expect("I8: the answer to a trade", typeof story.trade({ withinMs: 10_000 }), "number");
      return story.end();
    },
  },
  {
    title: "a leader that is asked to stop hands over by itself, and trades go on",
    async run() {
      const story = new Story({ cacheSizes: [100, 100] });
      const { world } = story;
      const third = world.replicas[2];
      if (!third) return ["there are no three replicas"];
      story.trade();
      // No front-end that could choose a leader notices anything.
      for (const { name } of world.replicas) for (const frontEnd of world.frontEnds) story.cut(frontEnd.name, name);
      world.stop(third);
      story.pass(1000);
      story.expect("the process that stops", third.isUp, false);
      story.expect("the term", world.catalogStore.term, 2);
      world.network.healAll([]);
      for (const frontEnd of [1, 2])
        story.expect("I8: the answer to a trade", typeof story.trade({ frontEnd, withinMs: 2000 }), "number");
      story.expect("the term", world.catalogStore.term, 2);
      return story.end();
    },
  },
  {
    title: "frozen followers delay no trade",
    async run() {
      const story = new Story();
      for (const follower of story.world.replicas.slice(0, 2)) follower.life?.pause();
      story.expect("R5: the answer to a trade", typeof story.trade({ withinMs: 100 }), "number");
      return story.end();
    },
  },
  {
    title: "with two copies demanded, one frozen follower delays no trade, and two of them prevent it",
    async run() {
      const story = new Story({ minCopies: 2, requestTimeoutMs: 1000 });
      const [first, second] = story.world.replicas;
      first?.life?.pause();
      story.expect("R5: the answer to a trade", typeof story.trade({ withinMs: 100 }), "number");
      second?.life?.pause();
      story.pass(1000);
      const { length } = story.ledger;
      story.expect("R5: the answer to a trade with too few copies", story.trade({ withinMs: 5000 }), "UNAVAILABLE");
      story.expect("R5: the orders that were applied for it", story.ledger.length - length, 0);
      return story.end();
    },
  },
  {
    title: "a leader that loses its lead while it stores orders follows only after that write",
    async run() {
      const story = new Story();
      const { world } = story;
      const third = world.replicas[2];
      if (!third) return ["there are no three replicas"];
      third.disk.slowMs = 5000;
      story.trade({ withinMs: 50 });
      story.cut("front-end-1", third.name);
      story.pass(60_000);
      story.expect("the term", world.catalogStore.term, 2);
      story.expect("I8: the last order of the former leader", third.lastId(), story.ledger.length);
      return story.end();
    },
  },
  {
    title: "a slow catalog disk doesn't change the leader, because another leader would wait as long",
    async run() {
      const story = new Story({ cacheSizes: [0], rpcTimeoutMs: 100, requestTimeoutMs: 5000 });
      const { world } = story;
      story.trade();
      const { term } = world.catalogStore;
      world.catalogStore.disk.slowMs = 200;
      for (let count = 0; count < 10; count += 1) story.trade({ withinMs: 6000 });
      story.expect("the term", world.catalogStore.term, term);
      return story.end();
    },
  },
  {
    title: "a front-end that slept moves no lead: messages from the replicas are not read yet",
    async run() {
      const story = new Story();
      story.trade();
      const { term } = story.world.catalogStore;
      const life = story.world.frontEnds[0]?.life;
      // Either may come first then: a status of the leader, or the check for silent replicas.
      for (let sinceMs = 0; sinceMs < 50; sinceMs += 5) {
        story.pass(1000 + sinceMs);
        life?.pause();
        story.pass(2000);
        life?.resume();
      }
      story.expect("I8: a trade", typeof story.trade(), "number");
      story.expect("the term", story.world.catalogStore.term, term);
      return story.end();
    },
  },
  {
    title: "an order that arrives a second time while it is being stored is stored once",
    async run() {
      const clock = new ManualClock();
      const log = createSqliteOrderLog(openOrdersInMemory());
      const wrong: string[] = [];
      let near: StreamHandlers<FollowReply> | undefined;
      const stream = new FollowedStream({
        replicaId: 1,
        leader: 3,
        peer: {
          follow(handlers) {
            near = handlers;
            return { send() {}, close() {} };
          },
        },
        log,
        clock,
        logger: silentLogger,
        progressed() {},
        fatal: (error) => wrong.push(`I8: the replica ended itself: ${String(error)}`),
      });
      const arrive = (orders: readonly Order[]) =>
        near?.message({ term: 1, tailId: 4, orders: new OrderBatch(orders) });
      arrive(ordersOf(1, 2));
      arrive(ordersOf(1, 2));
      arrive(ordersOf(2, 4));
      await clock.flush();
      if (log.lastId !== 4) wrong.push(`I8: the replica ends at ${log.lastId}, not at 4`);
      stream.end();
      await clock.flush();
      await log.close();
      return wrong;
    },
  },
  {
    title: "an order that a replica doesn't hold yet is found in the ledger",
    async run() {
      const cluster = await OrderCluster.start(new ManualClock());
      await cluster.lead(3);
      cluster.node(1).outgoing.cut();
      await cluster.clock.flush();
      await cluster.trade(3, [tradeOf("key")]);
      const found = cluster.node(1).replica.order(1);
      await cluster.clock.flush();
      return (await found)?.key === "key" ? [] : ["I7: order 1 was acknowledged but isn't found"];
    },
  },
];
