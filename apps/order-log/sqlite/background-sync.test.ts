import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { observe } from "../../../test/support/observe.ts";
import { syncInBackground } from "./background-sync.ts";

function scenario() {
  const clock = new ManualClock();
  const failures: unknown[] = [];
  const syncs: { readonly done: () => void; readonly fail: (error: Error) => void }[] = [];
  let lastId = 7;
  const end = syncInBackground({
    clock,
    lastId: () => lastId,
    sync: () => new Promise((resolve, reject) => void syncs.push({ done: resolve, fail: reject })),
    failed: (error) => failures.push(error),
  });
  const append = () => void (lastId += 1);
  return { clock, failures, syncs, append, end };
}

test("what was appended is synced within 100 ms, and without new orders nothing is", async () => {
  const { clock, syncs, append } = scenario();
  await clock.advance(1000);
  expect(syncs).toHaveLength(0);
  append();
  await clock.advance(100);
  expect(syncs).toHaveLength(1);
  syncs[0]?.done();
  await clock.advance(1000);
  expect(syncs).toHaveLength(1);
});

test("there are never two syncs at once, and what is appended during one is synced by the next", async () => {
  const { clock, syncs, append } = scenario();
  append();
  await clock.advance(100);
  append();
  await clock.advance(1000);
  expect(syncs).toHaveLength(1);
  syncs[0]?.done();
  await clock.advance(100);
  expect(syncs).toHaveLength(2);
});

test("a failed sync is reported", async () => {
  const { clock, syncs, failures, append } = scenario();
  append();
  await clock.advance(100);
  const error = new Error("EIO");
  syncs[0]?.fail(error);
  await clock.flush();
  expect(failures).toEqual([error]);
});

test("the end waits for the sync that is under way, and begins no other", async () => {
  const { clock, syncs, append, end } = scenario();
  append();
  await clock.advance(100);
  append();
  const ended = observe(end());
  await clock.advance(1000);
  expect(ended.state).toBe("pending");
  syncs[0]?.done();
  await clock.advance(1000);
  expect(ended.state).toBe("resolved");
  expect(syncs).toHaveLength(1);
  expect(clock.timers).toBe(0);
});
