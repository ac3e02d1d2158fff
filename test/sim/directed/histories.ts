/** Directed cases of ledgers that were replaced: old copies, rebuilds, and replicas of another history (R1, R2). */

import { readOrders } from "../checker.ts";
import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

/** Kills the catalog and replaces its file by an old copy with two of four orders. Returns the right file. */
function withOldCopy(story: Story): Buffer {
  const { world } = story;
  for (let count = 0; count < 2; count += 1) story.trade();
  const copy = world.catalogStore.image();
  for (let count = 0; count < 2; count += 1) story.trade();
  story.pass(calmMs);
  world.kill(world.catalog);
  const right = world.catalogStore.image();
  world.catalogStore.replace(copy);
  return right;
}

export const historyCases: readonly DirectedCase[] = [
  {
    title: "a leader that keeps running writes nothing into a ledger that has lost its end",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      // The restarted front-end has seen nothing: only the leader's last order reveals the loss.
      const { world } = story;
      for (const host of world.frontEnds) world.kill(host);
      world.startAll();
      const answer = story.trade({ withinMs: 500 });
      story.pass(2 * calmMs);
      story.expect("I3: the ledger's head", story.ledger.length, 2);
      story.expect("I4: the answer to a trade", answer, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "without a trade, the leader soon detects a ledger that has lost its end, and lookups are refused",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.frontEnds) world.kill(host);
      world.startAll();
      story.pass(2000);
      story.expect("I6: the answer to a lookup", story.lookUp({ withinMs: 1000 }), "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "without a leader, a front-end's first lookup reveals a ledger that has lost its end and is refused",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.replicas) world.kill(host);
      world.start(world.catalog);
      story.expect("I6: the answer to a lookup", story.lookUp({ withinMs: 1000 }), "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title:
      "a front-end's hello reveals a ledger that has lost its end, before a restarted front-end's lookup is answered",
    async run() {
      const story = new Story({ cacheSizes: [100, 0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.replicas) world.kill(host);
      const [, restarted] = world.frontEnds;
      if (restarted) world.kill(restarted);
      world.start(world.catalog);
      story.pass(1000);
      if (restarted) world.start(restarted);
      const answer = story.lookUp({ frontEnd: 2, withinMs: 1000 });
      story.expect("I6: the answer to a lookup", answer, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "a front-end's hello reveals a ledger that has lost its end while the leader is cut off from the catalog",
    async run() {
      const story = new Story({ cacheSizes: [100, 0] });
      const { world } = story;
      withOldCopy(story);
      story.cut("order-3", "catalog");
      const [, restarted] = world.frontEnds;
      if (restarted) world.kill(restarted);
      world.start(world.catalog);
      story.pass(700);
      if (restarted) world.start(restarted);
      const answer = story.lookUp({ frontEnd: 2, withinMs: 1000 });
      story.expect("I6: the answer to a lookup", answer, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title:
      "a follower with more orders than the leader reveals a ledger that has lost its end, without being asked to lead",
    async run() {
      const story = new Story({ cacheSizes: [0, 0] });
      const { world } = story;
      const [, second, third] = world.replicas;
      const [first] = world.frontEnds;
      if (!second || !third || !first) return ["there are no three replicas and two front-ends"];
      for (let count = 0; count < 2; count += 1) story.trade();
      story.pass(calmMs);
      const copy = world.catalogStore.image();
      // The second front-end can't ask the one replica that keeps running to lead.
      story.cut("front-end-2", "order-1");
      world.kill(third);
      for (let count = 0; count < 2; count += 1) {
        story.expect("the answer to a trade", typeof story.trade({ withinMs: 20_000 }), "number");
      }
      story.pass(calmMs);
      for (const host of [second, ...world.frontEnds, world.catalog]) world.kill(host);
      world.catalogStore.replace(copy);
      for (const host of [world.catalog, third, world.frontEnds[1] ?? first]) world.start(host);
      story.pass(calmMs);
      const answer = story.trade({ frontEnd: 2, withinMs: 10_000 });
      story.expect("I4: the answer to a trade", answer, "DIVERGED", "UNAVAILABLE", undefined);
      story.expect("I3: the ledger's head", story.ledger.length, 2);
      return story.end();
    },
  },
  {
    title: "after the right file is put back, trades are accepted again",
    async run() {
      const story = new Story();
      const { world } = story;
      const right = withOldCopy(story);
      world.start(world.catalog);
      story.expect("the answer to a trade", story.trade({ withinMs: calmMs }), "DIVERGED", undefined);
      world.kill(world.catalog);
      world.catalogStore.replace(right);
      world.start(world.catalog);
      story.pass(calmMs);
      story.expect("the next order", story.trade(), 5);
      return story.end();
    },
  },
  {
    title: "a rebuilt ledger with a lower head than a front-end has seen isn't taken for an old copy",
    async run() {
      const story = new Story({ replicas: 1 });
      const { world } = story;
      story.trade();
      const [replica] = world.replicas;
      if (!replica) return ["there is no replica"];
      // The second order reaches the ledger and the front-end's cache, but no replica.
      replica.disk.slowMs = 1e12;
      story.trade({ withinMs: 1000 });
      for (const host of [world.catalog, replica]) world.kill(host);
      replica.disk.slowMs = 0;
      world.catalogStore.rebuild(readOrders(replica.database));
      world.startAll();
      story.pass(calmMs);
      story.expect("the quantity", story.lookUp(), 98, 99);
      story.expect("the answer to a trade", typeof story.trade({ withinMs: 10_000 }), "number");
      return story.end();
    },
  },
  {
    title: "a ledger that is rebuilt twice without orders reuses no term of the first rebuild",
    async run() {
      const story = new Story({ replicas: 2 });
      const { world } = story;
      const [follower, leader] = world.replicas;
      if (!follower || !leader) return ["there are no two replicas"];
      const rebuild = () => {
        for (const host of [world.catalog, leader]) world.kill(host);
        world.catalogStore.rebuild([]);
        for (const host of [world.catalog, leader]) world.start(host);
        story.pass(calmMs);
      };
      rebuild();
      for (let count = 0; count < 5; count += 1) {
        world.kill(follower);
        story.pass(calmMs);
        world.start(follower);
        world.kill(leader);
        story.pass(calmMs);
        world.start(leader);
      }
      story.pass(calmMs);
      // Only this replica still knows the last term, because it led last.
      follower.life?.pause();
      for (const host of world.frontEnds) world.kill(host);
      rebuild();
      for (const host of world.frontEnds) world.start(host);
      story.pass(calmMs);
      follower.life?.resume();
      story.pass(calmMs);
      story.expect("the answer to a trade", story.trade({ withinMs: 10_000 }), 1);
      story.pass(calmMs);
      for (const { name, lastId } of [follower, leader]) story.expect(`the last order of ${name}`, lastId(), 1);
      return story.end();
    },
  },
  {
    title: "a replica that returns with another order under the same key neither follows nor leads",
    async run() {
      const story = new Story({ replicas: 2, requestTimeoutMs: 60_000 });
      const { world } = story;
      const [survivor, lost] = world.replicas;
      if (!survivor || !lost) return ["there are no two replicas"];
      for (let count = 0; count < 2; count += 1) story.trade();
      story.pass(calmMs);
      // Order 3 reaches only the leader's file. Then that machine is lost, and the catalog's too.
      story.cut(survivor.name, lost.name);
      const key = story.newKey();
      story.trade({ key });
      for (const host of [world.catalog, survivor, lost]) world.kill(host);
      world.network.healAll();
      world.catalogStore.rebuild(readOrders(survivor.database));
      world.start(world.catalog);
      world.start(survivor);
      story.pass(calmMs);
      // The client retries, and another trade follows.
      story.trade({ key, withinMs: 10_000 });
      const other = story.ledger[2];
      story.expect("the key of order 3 in the later term", other?.key, key);
      story.trade();
      world.start(lost);
      story.pass(calmMs);
      story.expect("I3: the last order of the replica with the other history", lost.lastId(), 3);
      world.kill(survivor);
      story.pass(calmMs);
      const leader = world.catalogStore.database.client.prepare("SELECT leader FROM register").get() as {
        leader: number;
      };
      story.expect("I3: the leader while the other replica is down", leader.leader, survivor.id);
      return story.end();
    },
  },
];
