import { OrderBatch } from "@stock-bazaar/shared/batches";
import type { Order } from "@stock-bazaar/shared/domain";
import { expect, test } from "vitest";
import { batchOf, ordersOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { Feed, type FeedSource } from "./feed.ts";

const chunk = 1000;
const window = 8000;

/** Orders from 1 on. Those from `recentFrom` on come from memory; the others must be read. */
class Source implements FeedSource {
  tailId: number;
  recentFrom: number;
  reads = 0;
  /** Runs before each read is answered. */
  beforeRead: () => Promise<void> = async () => {};

  constructor(tailId: number, recentFrom = 1) {
    this.tailId = tailId;
    this.recentFrom = recentFrom;
  }

  recent(afterId: number, limit: number): OrderBatch | undefined {
    if (afterId + 1 < this.recentFrom) return undefined;
    return batchOf(afterId + 1, Math.min(afterId + limit, this.tailId));
  }

  async read(afterId: number, limit: number): Promise<OrderBatch> {
    this.reads += 1;
    await this.beforeRead();
    return batchOf(afterId + 1, Math.min(afterId + limit, this.recentFrom - 1));
  }
}

function feedFrom(source: Source, startId: number) {
  const sent: Order[][] = [];
  const failures: unknown[] = [];
  const feed = new Feed(
    source,
    startId,
    (orders) => sent.push([...orders.rows]),
    (error) => failures.push(error),
  );
  const ids = () => sent.flat().map(({ id }) => id);
  return { feed, sent, ids, failures };
}

const range = (first: number, last: number) => ordersOf(first, last).map(({ id }) => id);

test("sends the missing orders in chunks, then new ones, without a gap or a duplicate", async () => {
  const clock = new ManualClock();
  const source = new Source(2500, 2001);
  const { feed, sent, ids } = feedFrom(source, 300);
  feed.poke();
  await clock.flush();
  expect(ids()).toEqual(range(301, 2500));
  expect(Math.max(...sent.map((orders) => orders.length))).toBeLessThanOrEqual(chunk);
  expect(source.reads).toBe(2);

  source.tailId = 2503;
  feed.poke();
  feed.poke();
  await clock.flush();
  expect(ids()).toEqual(range(301, 2503));
  expect(source.reads).toBe(2);
});

test("a follower that holds all orders is sent nothing", async () => {
  const { feed, sent } = feedFrom(new Source(10), 10);
  feed.poke();
  await new ManualClock().flush();
  expect(sent).toEqual([]);
});

test("orders that arrive during a read are sent after it, once and in order", async () => {
  const clock = new ManualClock();
  const source = new Source(1500, 1501);
  let answer = () => {};
  source.beforeRead = () => new Promise((resolve) => (answer = resolve));
  const { feed, ids } = feedFrom(source, 0);
  feed.poke();
  source.tailId = 1510;
  feed.poke();
  await clock.flush();
  expect(ids()).toEqual([]);
  answer();
  await clock.flush();
  source.beforeRead = async () => {};
  answer();
  await clock.flush();
  expect(ids()).toEqual(range(1, 1510));
});

test("a follower that doesn't acknowledge is sent at most a window", async () => {
  const clock = new ManualClock();
  const source = new Source(50_000);
  const { feed, ids } = feedFrom(source, 0);
  feed.poke();
  await clock.flush();
  expect(ids()).toEqual(range(1, window));
  feed.acknowledged(10);
  await clock.flush();
  expect(ids()).toEqual(range(1, window + 10));
  feed.acknowledged(5);
  await clock.flush();
  expect(ids()).toHaveLength(window + 10);
});

test("every acknowledgement moves the window, until all orders are sent", async () => {
  const clock = new ManualClock();
  const source = new Source(30_500, 25_001);
  const { feed, ids, sent } = feedFrom(source, 0);
  feed.poke();
  for (let rounds = 0; rounds < 100 && ids().length < 30_500; rounds += 1) {
    await clock.flush();
    feed.acknowledged(sent.at(-1)?.at(-1)?.id ?? 0);
  }
  await clock.flush();
  expect(ids()).toEqual(range(1, 30_500));
});

test("after it is closed, nothing is sent, not even the result of a read in flight", async () => {
  const clock = new ManualClock();
  const source = new Source(100, 101);
  let answer = () => {};
  source.beforeRead = () => new Promise((resolve) => (answer = resolve));
  const { feed, sent } = feedFrom(source, 0);
  feed.poke();
  feed.close();
  answer();
  await clock.flush();
  feed.poke();
  feed.acknowledged(0);
  await clock.flush();
  expect(sent).toEqual([]);
});

test("an order that wasn't sent must not be acknowledged", async () => {
  const clock = new ManualClock();
  const { feed } = feedFrom(new Source(3), 0);
  feed.poke();
  await clock.flush();
  expect(feed.sentId).toBe(3);
  expect(() => feed.acknowledged(4)).toThrow("must hold: acked ≤ sent (got 4 and 3)");
});

test("a failed read is reported once", async () => {
  const clock = new ManualClock();
  const source = new Source(100, 101);
  source.beforeRead = () => Promise.reject(new Error("the disk fails"));
  const { feed, failures } = feedFrom(source, 0);
  feed.poke();
  await clock.flush();
  feed.poke();
  await clock.flush();
  expect(failures).toHaveLength(1);
});

test("an order that can't be read yet is sent after the next acknowledgement or new order", async () => {
  const clock = new ManualClock();
  const source = new Source(100, 101);
  source.read = async () => OrderBatch.empty;
  const { feed, ids } = feedFrom(source, 99);
  feed.poke();
  await clock.flush();
  expect(ids()).toEqual([]);
  source.recentFrom = 1;
  feed.acknowledged(99);
  await clock.flush();
  expect(ids()).toEqual([100]);
});
