/** Directed cases of power cuts: what the disks keep, and which replicas a lost catalog may be rebuilt from (I5, I7, I9). */

import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

/** The times after an order at which the power fails: before a replica's next sync or after it, whenever that is. */
const momentsMs = [0, 20, 40, 60, 80, 100, 120];

/** Cuts the power of every machine. Nothing is started. */
function cutPower({ world }: Story): void {
  for (const host of world.hosts) world.cutPower(host);
}

/** I9: whether a lost catalog would now be rebuilt unattended; it may be only if a replica has these orders. */
function expectNoLoss(story: Story, orders: number): void {
  const { replicas, replicasNotWhole } = story.world;
  if (replicasNotWhole.length > 0) return;
  const longest = Math.max(...replicas.map(({ lastId }) => lastId()));
  if (longest < orders)
    story.wrong.push(`I9: ${orders} orders were acknowledged, but a rebuilt catalog would have ${longest}`);
}

export const powerCutCases: readonly DirectedCase[] = [
  {
    title: "power cut of all: every acknowledged order is in the ledger and is found, and the replicas read it again",
    async run() {
      const wrong: string[] = [];
      for (const momentMs of momentsMs) {
        const story = new Story();
        const id = story.trade();
        story.pass(momentMs);
        cutPower(story);
        story.expect("I5: the ledger after the power cut", story.ledger.length, id);
        story.world.startAll();
        story.pass(2 * calmMs);
        for (const { name, lastId } of story.world.replicas) story.expect(`the last order of ${name}`, lastId(), id);
        story.expect("I7: the next order", story.trade(), 2);
        story.expect("the replicas that may lack orders", story.world.replicasNotWhole.length, 0);
        wrong.push(...story.end());
      }
      return wrong;
    },
  },
  {
    title: "power cut and lost catalog: it is rebuilt unattended only from replicas that lack nothing",
    async run() {
      const wrong: string[] = [];
      let prevented = 0;
      for (const momentMs of momentsMs) {
        const story = new Story();
        story.trade();
        story.pass(momentMs);
        cutPower(story);
        expectNoLoss(story, 1);
        if (story.world.replicas.every(({ lastId }) => lastId() === 0)) prevented += 1;
        // The replicas start without a catalog: they can't know what they lack.
        for (const host of story.world.replicas) story.world.start(host);
        story.pass(calmMs);
        expectNoLoss(story, 1);
        wrong.push(...story.end());
      }
      if (prevented === 0) wrong.push("no power cut took an order: this case tests nothing");
      return wrong;
    },
  },
  {
    title: "power cut after a restart: the mark of the clean end before it counts no more",
    async run() {
      const wrong: string[] = [];
      for (const momentMs of momentsMs) {
        const story = new Story();
        const { world } = story;
        story.trade();
        for (const host of world.replicas) world.stop(host);
        story.pass(calmMs);
        story.expect("the replicas that may lack orders after a clean end", world.replicasNotWhole.length, 0);
        for (const host of world.replicas) world.cutPower(host);
        story.expect("the replicas that may lack orders though they ended cleanly", world.replicasNotWhole.length, 0);
        world.startAll();
        story.pass(calmMs);
        story.expect("the next order", story.trade(), 2);
        story.pass(momentMs);
        cutPower(story);
        expectNoLoss(story, 2);
        wrong.push(...story.end());
      }
      return wrong;
    },
  },
  {
    title:
      "a replica that lost orders in a power cut isn't whole before it has caught up, and a clean end doesn't make it so",
    async run() {
      const story = new Story();
      const { world } = story;
      story.trade();
      cutPower(story);
      // Without a front-end no replica leads, so none catches up.
      for (const host of [world.catalog, ...world.replicas]) world.start(host);
      story.pass(calmMs);
      expectNoLoss(story, 1);
      for (const host of world.replicas) world.stop(host);
      story.pass(calmMs);
      expectNoLoss(story, 1);
      world.startAll();
      story.pass(2 * calmMs);
      story.expect("the replicas that may lack orders", world.replicasNotWhole.length, 0);
      return story.end();
    },
  },
  {
    title: "a new file in place of a lost one isn't whole before it has caught up",
    async run() {
      const story = new Story({ replicas: 2 });
      const { world } = story;
      const [follower, leader] = world.replicas;
      if (!follower || !leader) return ["there are no two replicas"];
      story.cut(follower.name, leader.name);
      story.trade();
      world.kill(follower);
      world.wipe(leader);
      world.kill(world.catalog);
      world.start(leader);
      world.start(follower);
      story.pass(calmMs);
      expectNoLoss(story, 1);
      return story.end();
    },
  },
  {
    title:
      "with ORDER_SYNCHRONOUS=FULL a lost catalog is rebuilt even after a power cut, with every acknowledged order",
    async run() {
      const story = new Story({ orderSynchronous: "FULL" });
      story.pass(calmMs);
      const id = story.trade();
      cutPower(story);
      story.expect("the replicas that may lack orders", story.world.replicasNotWhole.length, 0);
      expectNoLoss(story, Number(id));
      return story.end();
    },
  },
];
