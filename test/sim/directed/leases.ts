/** Stories of leases that outlive the catalog that gave them (R9). */

import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

const longMs = 5000;
const shortMs = 50;

/** The first front-end has the stock cached on its lease, and is stopped; nothing from the catalog reaches it any more. */
function freezeWithLease(story: Story): void {
  story.lookUp();
  story.cut("front-end-1", "catalog");
  story.world.frontEnds[0]?.life?.pause();
}

function frozenWithLongLease(): Story {
  const story = new Story({ cacheSizes: [100, 100], leasesMs: [longMs], requestTimeoutMs: 30_000 });
  story.pass(longMs);
  freezeWithLease(story);
  return story;
}

/** A purchase through the other front-end is told; then the first one wakes, and is asked. */
function buyThenAskTheOther(story: Story): string[] {
  const told = story.trade({ frontEnd: 2, withinMs: 3 * longMs });
  story.expect("the purchase", told, 1);
  story.world.frontEnds[0]?.life?.resume();
  story.expect("I6: the quantity after it, through the front-end that was stopped", story.lookUp(), 99, undefined);
  return story.end();
}

export const leaseCases: readonly DirectedCase[] = [
  {
    title: "a catalog that comes back with a shorter lease waits for the longer one that it finds in the register",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.kill(world.catalog);
      world.drawLeasesFrom([shortMs]);
      world.start(world.catalog);
      return buyThenAskTheOther(story);
    },
  },
  {
    title: "also when it is killed again before that is over",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.drawLeasesFrom([shortMs]);
      for (let time = 0; time < 2; time += 1) {
        world.kill(world.catalog);
        world.start(world.catalog);
        story.pass(100);
      }
      return buyThenAskTheOther(story);
    },
  },
  {
    title: "also when it was stopped as it should be, while that front-end held its lease",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.stop(world.catalog);
      // Nor does any other front-end know of that lease.
      world.kill(world.frontEnds[1] ?? world.catalog);
      story.pass(100);
      world.drawLeasesFrom([shortMs]);
      world.startAll();
      return buyThenAskTheOther(story);
    },
  },
  {
    title: "also when it was stopped as it should be, soon after it had started behind that front-end's back",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.kill(world.frontEnds[1] ?? world.catalog);
      world.kill(world.catalog);
      world.drawLeasesFrom([shortMs]);
      world.start(world.catalog);
      story.pass(100);
      world.stop(world.catalog);
      story.pass(100);
      world.startAll();
      return buyThenAskTheOther(story);
    },
  },
  {
    title: "a rebuilt catalog waits for the longest lease that a front-end names",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      for (const host of [world.catalog, ...world.replicas]) world.kill(host);
      world.drawLeasesFrom([shortMs]);
      world.catalogStore.rebuild([]);
      world.startAll();
      return buyThenAskTheOther(story);
    },
  },
  {
    title: "after a clean end with no lease left, the next start waits for none",
    async run() {
      const story = new Story({ leasesMs: [longMs], requestTimeoutMs: 30_000 });
      const { world } = story;
      story.pass(longMs);
      const [frontEnd] = world.frontEnds;
      if (frontEnd) world.stop(frontEnd);
      story.pass(calmMs);
      world.stop(world.catalog);
      story.pass(calmMs);
      world.startAll();
      story.expect("a purchase soon after the start", story.trade({ withinMs: longMs / 2 }), 1);
      return story.end();
    },
  },
  {
    title: "a front-end that was away for long can't make a catalog of the same life wait for the lease of then",
    async run() {
      const story = new Story({ cacheSizes: [100, 0], leasesMs: [longMs], requestTimeoutMs: 30_000 });
      const { world } = story;
      story.pass(longMs);
      story.cut("front-end-1", "catalog");
      story.pass(2 * longMs);
      world.drawLeasesFrom([shortMs]);
      for (const waitMs of [2 * longMs, 1000]) {
        world.kill(world.catalog);
        world.start(world.catalog);
        story.pass(waitMs);
      }
      world.network.healAll();
      story.pass(1000);
      story.expect("I8: a purchase", story.trade({ frontEnd: 2, withinMs: longMs / 4 }), 1);
      return story.end();
    },
  },
  {
    title: "and then crashes: the end before that was clean no longer counts",
    async run() {
      const story = new Story({ cacheSizes: [100, 100], leasesMs: [longMs], requestTimeoutMs: 30_000 });
      const { world } = story;
      story.pass(longMs);
      for (const frontEnd of world.frontEnds) world.stop(frontEnd);
      story.pass(calmMs);
      world.stop(world.catalog);
      story.pass(calmMs);
      world.startAll();
      story.pass(calmMs);
      freezeWithLease(story);
      world.kill(world.catalog);
      world.start(world.catalog);
      return buyThenAskTheOther(story);
    },
  },
];
