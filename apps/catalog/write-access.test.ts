import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { WriteAccess } from "./write-access.ts";

const locked = new BazaarError("STORAGE_UNAVAILABLE", "/data/catalog.db is locked by process 7 (sqlite3)");

function scenario() {
  const clock = new ManualClock();
  const said: string[] = [];
  const say = (level: string) => (first: object | string, second?: string) =>
    void said.push(`${level}: ${typeof first === "string" ? first : second}`);
  const logger = { warn: say("warn"), info: say("info") } as unknown as Logger;
  let isLocked = true;
  const write = () => (isLocked ? Promise.reject(locked) : Promise.resolve());
  const access = new WriteAccess({ tryWrite: write, clock, logger });
  const failing = () => access.observe(Promise.reject(locked)).catch(() => {});
  return { clock, said, access, failing, release: () => (isLocked = false) };
}

test("an episode is told once, by the file and the cause, and ends when a write gets through", async () => {
  const { clock, said, access, failing, release } = scenario();
  expect(access.obstacle).toBeUndefined();
  for (let times = 0; times < 5; times += 1) {
    await failing();
    await clock.advance(700);
  }
  expect(access.obstacle).toBe(locked.message);
  const begun = `warn: ${locked.message}: nothing is traded until the ledger can be written; it can be read`;
  expect(said).toEqual([begun]);
  release();
  await clock.advance(500);
  expect(access.obstacle).toBeUndefined();
  expect(said).toEqual([begun, "info: the ledger can be written again"]);
  expect(clock.timers).toBe(0);
  await failing();
  expect(said.at(-1)).toBe(begun);
});

test("a write that got through by itself ends nothing: an empty one fits on a full disk", async () => {
  const { access, failing } = scenario();
  await failing();
  await access.observe(Promise.resolve());
  expect(access.obstacle).toBe(locked.message);
});

test("other failures begin none, and pass through", async () => {
  const { access } = scenario();
  const fenced = new BazaarError("FENCED", "term 1 has passed");
  await expect(access.observe(Promise.reject(fenced))).rejects.toBe(fenced);
  expect(access.obstacle).toBeUndefined();
});

test("one that was stopped tries no more", async () => {
  const { clock, access, failing } = scenario();
  await failing();
  access.stop();
  expect(clock.timers).toBe(0);
});
