import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { Backoff, Deadlines, every, pause, systemClock, wallTime, withDeadline } from "./clock.ts";

const late = () => new Error("late");

test("a wait doubles with every failure up to a bound, and begins anew after a success", () => {
  const backoff = new Backoff(20, 100, () => 0);
  expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([20, 40, 80, 100, 100]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(20);
});

test("a wait is shortened at random by up to a half, so that callers don't retry all at once", () => {
  const backoff = new Backoff(20, 20, () => 0.999_999);
  expect(backoff.nextMs()).toBeCloseTo(10);
});

test("a pause resolves after its delay", async () => {
  const clock = new ManualClock();
  const paused = observe(pause(clock, 100));
  await clock.advance(99);
  expect(paused.state).toBe("pending");
  await clock.advance(1);
  expect(paused.state).toBe("resolved");
});

test("an action runs after each interval, until it is cancelled", async () => {
  const clock = new ManualClock();
  const ranMs: number[] = [];
  const cancel = every(clock, 100, () => void ranMs.push(clock.nowMs()));
  const startMs = clock.nowMs();
  await clock.advance(350);
  expect(ranMs.map((ms) => ms - startMs)).toEqual([100, 200, 300]);
  cancel();
  await clock.advance(1000);
  expect(ranMs).toHaveLength(3);
  expect(clock.timers).toBe(0);
});

test("the first run of an action may come at once, and its interval may change", async () => {
  const clock = new ManualClock();
  const ranMs: number[] = [];
  const startMs = clock.nowMs();
  every(
    clock,
    () => 100 * ranMs.length,
    () => void ranMs.push(clock.nowMs()),
    { firstMs: 0 },
  );
  await clock.advance(600);
  expect(ranMs.map((ms) => ms - startMs)).toEqual([0, 100, 300, 600]);
});

test("the next interval begins when an asynchronous action is over", async () => {
  const clock = new ManualClock();
  let runs = 0;
  every(clock, 100, () => {
    runs += 1;
    return pause(clock, 250);
  });
  await clock.advance(349);
  expect(runs).toBe(1);
  await clock.advance(100);
  expect(runs).toBe(1);
  await clock.advance(1);
  expect(runs).toBe(2);
});

test("an action that cancels its own repetition runs no more", async () => {
  const clock = new ManualClock();
  let runs = 0;
  const cancel = every(clock, 100, () => {
    runs += 1;
    cancel();
  });
  const cancelLate = every(clock, 100, async () => {
    runs += 1;
    await pause(clock, 50);
    cancelLate();
  });
  await clock.advance(1000);
  expect(runs).toBe(2);
  expect(clock.timers).toBe(0);
});

test("an action receives how late its timer fired", async () => {
  let nowMs = 0;
  let ring = () => {};
  const lateMs: number[] = [];
  const clock = {
    ...systemClock,
    nowMs: () => nowMs,
    after: (_: number, action: () => void) => {
      ring = action;
      return () => {};
    },
  };
  every(clock, 100, (late) => void lateMs.push(late));
  for (const tookMs of [100, 350, 99, 101]) {
    nowMs += tookMs;
    ring();
  }
  // A system timer may fire a little early.
  expect(lateMs).toEqual([0, 250, 0, 1]);
});

test("an answer in time is passed on, and its timer cancelled", async () => {
  const clock = new ManualClock();
  await expect(withDeadline(clock, 100, Promise.resolve(7), late)).resolves.toBe(7);
  await expect(withDeadline(clock, 100, Promise.reject(new Error("failed")), late)).rejects.toThrow("failed");
  expect(clock.timers).toBe(0);
});

test("an answer after the deadline is ignored", async () => {
  const clock = new ManualClock();
  let answer = (_: number) => {};
  const call = observe(withDeadline(clock, 100, new Promise<number>((resolve) => (answer = resolve)), late));
  await clock.advance(99);
  expect(call.state).toBe("pending");
  await clock.advance(1);
  expect(call.state).toBe("rejected");
  answer(7);
  await clock.flush();
  expect(call.value).toBeUndefined();
});

test("many promises share one timer, and each is late at its own time", async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 100, late);
  const never = new Promise<number>(() => {});
  const first = observe(deadlines.guard(never));
  await clock.advance(40);
  const second = observe(deadlines.guard(never));
  const answered = observe(deadlines.guard(Promise.resolve(7)));
  const failed = observe(deadlines.guard(Promise.reject(new Error("failed"))));
  expect(clock.timers).toBe(1);
  await clock.advance(59);
  expect([first.state, second.state, answered.value, failed.state]).toEqual(["pending", "pending", 7, "rejected"]);
  await clock.advance(1);
  expect([first.state, second.state]).toEqual(["rejected", "pending"]);
  await clock.advance(39);
  expect(second.state).toBe("pending");
  await clock.advance(1);
  expect(second.state).toBe("rejected");
  expect(clock.timers).toBe(0);
});

test("a promise that is guarded after the others are done has a timer again", async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 100, late);
  await deadlines.guard(Promise.resolve(7));
  await clock.advance(250);
  const call = observe(deadlines.guard(new Promise<number>(() => {})));
  await clock.advance(99);
  expect(call.state).toBe("pending");
  await clock.advance(1);
  expect(call.state).toBe("rejected");
});

test("only waits that haven't ended are late, oldest first, whichever ended before", async () => {
  const wait = fc.record({ pauseMs: fc.nat(40), endsAfterMs: fc.option(fc.nat(150)) });
  await fc.assert(
    fc.asyncProperty(fc.array(wait, { maxLength: 20 }), async (plan) => {
      const clock = new ManualClock();
      const deadlines = new Deadlines(clock, 100, late);
      const found: number[] = [];
      for (const [index, { pauseMs, endsAfterMs }] of plan.entries()) {
        await clock.advance(pauseMs);
        const begun = deadlines.begin(() => void found.push(index));
        const end = () => {
          deadlines.end(begun);
          deadlines.end(begun);
        };
        if (endsAfterMs !== null) clock.after(endsAfterMs + 0.5, end);
      }
      await clock.advance(200);
      expect(found).toEqual([...plan.keys()].filter((index) => (plan[index]?.endsAfterMs ?? 200) >= 100));
      expect([deadlines.count, clock.timers]).toEqual([0, 0]);
    }),
  );
});

test("the system's clock never goes back, and its wall time is ISO 8601 in UTC", async () => {
  const before = systemClock.nowMs();
  await new Promise<void>((resolve) => systemClock.soon(resolve));
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  expect(systemClock.nowMs()).toBeGreaterThanOrEqual(before);
  expect(wallTime(systemClock)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("a timer of the system's clock that is cancelled never runs", async () => {
  let ran = false;
  const cancel = systemClock.after(0, () => (ran = true));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  expect(ran).toBe(false);
});
