/** Directed cases of leases that outlive the catalog that granted them (R9). */

import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

const longMs = 5000;
const shortMs = 50;

/** The first front-end caches the stock, freezes while its lease runs, and is cut off from the catalog. */
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

/** Buys through the second front-end until the purchase is acknowledged. Then the first one resumes and is asked. */
function buyThenAskTheFrozen(story: Story): string[] {
  const answer = story.trade({ frontEnd: 2, withinMs: 3 * longMs });
  story.expect("the order of the purchase", answer, 1);
  story.world.frontEnds[0]?.life?.resume();
  story.expect("I6: the quantity through the front-end that was frozen", story.lookUp(), 99, undefined);
  return story.end();
}

export const leaseCases: readonly DirectedCase[] = [
  {
    title: "a catalog that restarts with a shorter lease waits for the longer lease in the register",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.kill(world.catalog);
      world.drawLeasesFrom([shortMs]);
      world.start(world.catalog);
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title:
      "a machine that slept through its lease serves nothing from its cache, though its monotonic clock stood still",
    async run() {
      const story = new Story({ cacheSizes: [100, 100], leasesMs: [longMs], requestTimeoutMs: 30_000 });
      story.pass(longMs);
      story.lookUp();
      story.cut("front-end-1", "catalog");
      story.world.frontEnds[0]?.life?.sleep();
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title: "a catalog that is killed again while it waits for the longer lease still waits for it",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.drawLeasesFrom([shortMs]);
      for (let time = 0; time < 2; time += 1) {
        world.kill(world.catalog);
        world.start(world.catalog);
        story.pass(100);
      }
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title: "a catalog that was stopped cleanly while a front-end held a longer lease waits for it",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      world.stop(world.catalog);
      // The other front-end loses its knowledge of that lease too.
      world.kill(world.frontEnds[1] ?? world.catalog);
      story.pass(100);
      world.drawLeasesFrom([shortMs]);
      world.startAll();
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title: "a catalog that was stopped cleanly before an earlier catalog's lease had expired waits for that lease",
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
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title: "a rebuilt catalog waits for the longest lease that a front-end reports",
    async run() {
      const story = frozenWithLongLease();
      const { world } = story;
      for (const host of [world.catalog, ...world.replicas]) world.kill(host);
      world.drawLeasesFrom([shortMs]);
      world.catalogStore.rebuild([]);
      world.startAll();
      return buyThenAskTheFrozen(story);
    },
  },
  {
    title: "after a clean end with no lease left, the next start doesn't wait",
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
      story.expect("the order of a purchase soon after the start", story.trade({ withinMs: longMs / 2 }), 1);
      return story.end();
    },
  },
  {
    title: "a front-end that was cut off for long can't make a catalog of the same life wait for its expired lease",
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
      story.expect("I8: the order of a purchase", story.trade({ frontEnd: 2, withinMs: longMs / 4 }), 1);
      return story.end();
    },
  },
  {
    title: "a catalog that crashes waits for the lease, although its earlier end was clean",
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
      return buyThenAskTheFrozen(story);
    },
  },
];
