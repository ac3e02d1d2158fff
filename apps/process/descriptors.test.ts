import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { areDescriptorsFree, reservedDescriptors, watchDescriptors } from "./descriptors.ts";

function watched() {
  const clock = new ManualClock();
  const logged: string[] = [];
  const calls: string[] = [];
  const state = { free: 1000, openFails: false };
  const log = (first: unknown, second?: string) => void logged.push(second ?? String(first));
  const end = watchDescriptors(
    {
      shut: () => void calls.push("shut"),
      open() {
        if (state.openFails) throw new Error("the port is in use");
        calls.push("open");
      },
    },
    { clock, logger: { info: log, warn: log } as never, areFree: (count) => state.free >= count },
  );
  return { clock, logged, calls, state, end };
}

test("the door is shut once while descriptors run out, and opens again when there are some more", async () => {
  const { clock, logged, calls, state, end } = watched();
  await clock.advance(1000);
  expect([calls, logged]).toEqual([[], []]);
  state.free = reservedDescriptors - 1;
  await clock.advance(1000);
  expect(calls).toEqual(["shut"]);
  expect(logged).toEqual([expect.stringMatching(/^file descriptors run out: .*ulimit -n/)]);
  state.free = 2 * reservedDescriptors - 1;
  await clock.advance(1000);
  expect(calls).toEqual(["shut"]);
  state.free += 1;
  state.openFails = true;
  await clock.advance(1000);
  expect(logged.slice(1)).toEqual(["new connections can't be accepted yet: the port is in use"]);
  state.openFails = false;
  await clock.advance(1000);
  expect(calls).toEqual(["shut", "open"]);
  expect(logged.at(-1)).toBe("file descriptors are free again: new connections are accepted");
  end();
  state.free = 0;
  await clock.advance(1000);
  expect(calls).toEqual(["shut", "open"]);
});

test("the free descriptors are counted without keeping any", () => {
  const before = openSync(devNull, "r");
  closeSync(before);
  expect(areDescriptorsFree(32)).toBe(true);
  const after = openSync(devNull, "r");
  closeSync(after);
  expect(after).toBe(before);
  expect(areDescriptorsFree(100_000_000)).toBe(false);
});
