/** Stories of ledgers and files that are not what they were: old copies, and replicas of a history that is over (R1, R2). */

import { readOrders } from "../checker.ts";
import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

/** The catalog has an old copy in its file's place, with two orders of four. Returns the right file. */
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
    title: "a leader that stays writes nothing into a ledger that has lost its end",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      // The front-end knows nothing: only the leader's last order tells.
      const { world } = story;
      for (const host of world.frontEnds) world.kill(host);
      world.startAll();
      const told = story.trade({ withinMs: 500 });
      story.pass(2 * calmMs);
      story.expect("I3: the ledger's last number", story.ledger.length, 2);
      story.expect("I4: what a trade was told", told, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "without a trade, too, the leader finds out soon, and then no lookup is answered from it",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.frontEnds) world.kill(host);
      world.startAll();
      story.pass(2000);
      story.expect("I6: a lookup of what was before", story.lookUp({ withinMs: 1000 }), "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "without a leader a front-end's question tells, and the lookup that comes first isn't answered from it",
    async run() {
      const story = new Story({ cacheSizes: [0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.replicas) world.kill(host);
      world.start(world.catalog);
      story.expect("I6: a lookup of what was before", story.lookUp({ withinMs: 1000 }), "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "a front-end's hello tells, before one that knows nothing has its lookup answered",
    async run() {
      const story = new Story({ cacheSizes: [100, 0] });
      withOldCopy(story);
      const { world } = story;
      for (const host of world.replicas) world.kill(host);
      const [, ignorant] = world.frontEnds;
      if (ignorant) world.kill(ignorant);
      world.start(world.catalog);
      story.pass(1000);
      if (ignorant) world.start(ignorant);
      const told = story.lookUp({ frontEnd: 2, withinMs: 1000 });
      story.expect("I6: a lookup of what was before", told, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "also while the leader is cut off from the catalog, and nobody else asks anything",
    async run() {
      const story = new Story({ cacheSizes: [100, 0] });
      const { world } = story;
      withOldCopy(story);
      story.cut("order-3", "catalog");
      const [, ignorant] = world.frontEnds;
      if (ignorant) world.kill(ignorant);
      world.start(world.catalog);
      story.pass(700);
      if (ignorant) world.start(ignorant);
      const told = story.lookUp({ frontEnd: 2, withinMs: 1000 });
      story.expect("I6: a lookup of what was before", told, "DIVERGED", undefined);
      return story.end();
    },
  },
  {
    title: "a follower that has more tells, while the leader has less and nobody asks it to lead",
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
        story.expect("a trade", typeof story.trade({ withinMs: 20_000 }), "number");
      }
      story.pass(calmMs);
      for (const host of [second, ...world.frontEnds, world.catalog]) world.kill(host);
      world.catalogStore.replace(copy);
      for (const host of [world.catalog, third, world.frontEnds[1] ?? first]) world.start(host);
      story.pass(calmMs);
      const told = story.trade({ frontEnd: 2, withinMs: 10_000 });
      story.expect("I4: what a trade was told", told, "DIVERGED", "UNAVAILABLE", undefined);
      story.expect("I3: the ledger's last number", story.ledger.length, 2);
      return story.end();
    },
  },
  {
    title: "with the right file back everything goes on",
    async run() {
      const story = new Story();
      const { world } = story;
      const right = withOldCopy(story);
      world.start(world.catalog);
      story.expect("a trade", story.trade({ withinMs: calmMs }), "DIVERGED", undefined);
      world.kill(world.catalog);
      world.catalogStore.replace(right);
      world.start(world.catalog);
      story.pass(calmMs);
      story.expect("the next order", story.trade(), 5);
      return story.end();
    },
  },
  {
    title: "a rebuilt ledger that is shorter than what a front-end has seen is no old copy",
    async run() {
      const story = new Story({ replicas: 1 });
      const { world } = story;
      story.trade();
      const [replica] = world.replicas;
      if (!replica) return ["there is no replica"];
      // The second order reaches the ledger, and the front-end's cache hears of it, but no replica has it.
      replica.disk.slowMs = 1e12;
      story.trade({ withinMs: 1000 });
      for (const host of [world.catalog, replica]) world.kill(host);
      replica.disk.slowMs = 0;
      world.catalogStore.rebuild(readOrders(replica.database));
      world.startAll();
      story.pass(calmMs);
      story.expect("the quantity", story.lookUp(), 98, 99);
      story.expect("a trade", typeof story.trade({ withinMs: 10_000 }), "number");
      return story.end();
    },
  },
  {
    title: "a ledger that is rebuilt twice, from nothing, gives no term of the first time again",
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
      // It led last, and remembers that term; nobody else does.
      follower.life?.pause();
      for (const host of world.frontEnds) world.kill(host);
      rebuild();
      for (const host of world.frontEnds) world.start(host);
      story.pass(calmMs);
      follower.life?.resume();
      story.pass(calmMs);
      story.expect("a trade", story.trade({ withinMs: 10_000 }), 1);
      story.pass(calmMs);
      for (const { name, lastId } of [follower, leader]) story.expect(`where ${name} ends`, lastId(), 1);
      return story.end();
    },
  },
  {
    title: "a replica that comes back with another order under the same key neither follows nor leads",
    async run() {
      const story = new Story({ replicas: 2, requestTimeoutMs: 60_000 });
      const { world } = story;
      const [survivor, lost] = world.replicas;
      if (!survivor || !lost) return ["there are no two replicas"];
      for (let count = 0; count < 2; count += 1) story.trade();
      story.pass(calmMs);
      // Order 3 reaches the leader's file alone; that machine is lost, and the catalog's too.
      story.cut(survivor.name, lost.name);
      const key = story.newKey();
      story.trade({ key });
      for (const host of [world.catalog, survivor, lost]) world.kill(host);
      world.network.healAll();
      world.catalogStore.rebuild(readOrders(survivor.database));
      world.start(world.catalog);
      world.start(survivor);
      story.pass(calmMs);
      // The client asks again, and more is traded.
      story.trade({ key, withinMs: 10_000 });
      const other = story.ledger[2];
      story.expect("order 3 is the same trade in a later term", other?.key, key);
      story.trade();
      world.start(lost);
      story.pass(calmMs);
      story.expect("I3: where the replica of the other history ends", lost.lastId(), 3);
      world.kill(survivor);
      story.pass(calmMs);
      const leader = world.catalogStore.database.client.prepare("SELECT leader FROM register").get() as {
        leader: number;
      };
      story.expect("I3: who leads, with the other replica away", leader.leader, survivor.id);
      return story.end();
    },
  },
];
