/** Stories of ledgers and files that are not what they were: old copies, and replicas of a history that is over (R1, R2). */

import { readOrders } from "../checker.ts";
import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

/** The catalog has an old copy in its file's place: two orders of four. */
function withOldCopy(story: Story): void {
  const { world } = story;
  for (let count = 0; count < 2; count += 1) story.trade();
  const copy = world.catalogStore.image();
  for (let count = 0; count < 2; count += 1) story.trade();
  story.pass(calmMs);
  world.kill(world.catalog);
  world.catalogStore.replace(copy);
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
    title: "with the right file back everything goes on",
    async run() {
      const story = new Story();
      const { world } = story;
      withOldCopy(story);
      world.start(world.catalog);
      story.pass(calmMs);
      const right = world.replicas[0] ? readOrders(world.replicas[0].database) : [];
      for (const host of [world.catalog, ...world.replicas]) world.kill(host);
      world.catalogStore.rebuild(right);
      world.startAll();
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
