import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { BatchQueue } from "./batch-queue.ts";

/** A queue whose batches the test completes or fails. */
function scenario(nextLength?: (waiting: readonly string[]) => number) {
  const clock = new ManualClock();
  const batches: { items: readonly string[]; done(): void; fail(error: unknown): void }[] = [];
  const failures: unknown[] = [];
  const queue = new BatchQueue<string>({
    clock,
    work: (items) => new Promise((done, fail) => void batches.push({ items: [...items], done, fail })),
    ...(nextLength && { nextLength }),
    failed: (error) => failures.push(error),
  });
  return { clock, queue, failures, batches, items: () => batches.map(({ items }) => items.join("")) };
}

test("items pushed in one turn form one batch, which starts without a delay", async () => {
  const { clock, queue, items } = scenario();
  queue.push(["a", "b"]);
  queue.push(["c"]);
  expect(items()).toEqual([]);
  await clock.flush();
  expect(items()).toEqual(["abc"]);
});

test("items pushed while a batch is in flight form the next", async () => {
  const { clock, queue, batches, items } = scenario();
  queue.push(["a"]);
  await clock.flush();
  queue.push(["b"]);
  queue.push(["c"]);
  await clock.flush();
  expect(items()).toEqual(["a"]);
  expect(queue.length).toBe(2);
  batches[0]?.done();
  await clock.flush();
  expect(items()).toEqual(["a", "bc"]);
  expect(queue.length).toBe(0);
});

test("a batch may be a part of the waiting items", async () => {
  const { clock, queue, batches, items } = scenario((waiting) => (waiting[0] === "!" ? 1 : waiting.indexOf("!")));
  queue.push(["a", "b", "!", "!"]);
  for (let count = 0; count < 3; count += 1) {
    await clock.flush();
    batches[count]?.done();
  }
  expect(items()).toEqual(["ab", "!", "!"]);
});

test("clearing removes the waiting items; the queue is idle when the batch in flight is done", async () => {
  const { clock, queue, batches, items } = scenario();
  expect(queue.isIdle).toBe(true);
  await queue.idle();
  queue.push(["a"]);
  const idle = observe(queue.idle());
  await clock.flush();
  queue.push(["b", "c"]);
  expect(queue.clear()).toEqual(["b", "c"]);
  await clock.flush();
  expect([idle.state, queue.isIdle]).toEqual(["pending", false]);
  batches[0]?.done();
  await clock.flush();
  expect([idle.state, queue.isIdle]).toEqual(["resolved", true]);
  queue.push(["d"]);
  await clock.flush();
  expect(items()).toEqual(["a", "d"]);
});

test("after a failed batch the queue stops", async () => {
  const { clock, queue, failures, batches, items } = scenario();
  queue.push(["a"]);
  await clock.flush();
  queue.push(["b"]);
  batches[0]?.fail("disk full");
  await clock.flush();
  queue.push(["c"]);
  await clock.flush();
  expect(failures).toEqual(["disk full"]);
  expect(items()).toEqual(["a"]);
});
