import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { Callers } from "./callers.ts";

function setUp() {
  const clock = new ManualClock();
  const callers = new Callers();
  const goneMs: number[] = [];
  const beganMs = clock.nowMs();
  const watch = () => callers.watch(clock, () => goneMs.push(clock.nowMs() - beganMs));
  return { clock, callers, goneMs, watch };
}

test("after three seconds without a call the callers are gone, which is told once", async () => {
  const { clock, callers, goneMs, watch } = setUp();
  watch();
  await clock.advance(2900);
  callers.arrived();
  await clock.advance(3000);
  expect(goneMs).toEqual([]);
  await clock.advance(60_000);
  expect(goneMs).toEqual([6000]);
  expect(clock.timers).toBe(0);
});

test("a call that isn't answered yet counts as one, whether it succeeds or fails", async () => {
  const { clock, callers, goneMs, watch } = setUp();
  watch();
  const done = Promise.withResolvers<string>();
  const failed = Promise.withResolvers<string>();
  const [called, refused] = [callers.called(done.promise), callers.called(failed.promise)];
  await clock.advance(10_000);
  done.resolve("done");
  expect(await called).toBe("done");
  await clock.advance(10_000);
  expect(goneMs).toEqual([]);
  failed.reject(new Error("no"));
  await expect(refused).rejects.toThrow("no");
  await clock.advance(4000);
  expect(goneMs).toEqual([23_000]);
});

test("while nobody calls at all, each watch waits twice as long as the one before, up to a minute; a call ends that", async () => {
  const { clock, callers, goneMs, watch } = setUp();
  for (let stand = 0; stand < 8; stand += 1) {
    watch();
    await clock.advance(60_000);
  }
  const waits = goneMs.map((ms, stand) => (ms - stand * 60_000) / 1000);
  expect(waits).toEqual([3, 6, 12, 24, 48, 60, 60, 60]);
  callers.arrived();
  watch();
  await clock.advance(1000);
  callers.arrived();
  await clock.advance(5000);
  expect(goneMs.at(-1)).toBe(480_000 + 5000);
});

test("a process that was frozen hasn't missed its callers: their calls are read only afterwards", async () => {
  const { clock, callers, goneMs, watch } = setUp();
  watch();
  await clock.advance(1500);
  callers.arrived();
  await clock.oversleep(60_000);
  callers.arrived();
  await clock.advance(2000);
  expect(goneMs).toEqual([]);
});

test("a watch that was ended tells nothing", async () => {
  const { clock, goneMs, watch } = setUp();
  watch()();
  await clock.advance(60_000);
  expect(goneMs).toEqual([]);
  expect(clock.timers).toBe(0);
});
