import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { WriteAccess } from "./write-access.ts";

const locked = new BazaarError("STORAGE_UNAVAILABLE", "/data/catalog.db is locked by process 7 (sqlite3)");

function scenario() {
  const clock = new ManualClock();
  const logged: string[] = [];
  const logAt = (level: string) => (first: object | string, second?: string) =>
    void logged.push(`${level}: ${typeof first === "string" ? first : second}`);
  const logger = { warn: logAt("warn"), info: logAt("info") } as unknown as Logger;
  let isLocked = true;
  const write = () => (isLocked ? Promise.reject(locked) : Promise.resolve());
  const access = new WriteAccess({ tryWrite: write, clock, logger });
  const failing = () => access.observe(Promise.reject(locked)).catch(() => {});
  return { clock, logged, access, failing, release: () => (isLocked = false) };
}

test("an episode is logged once, with the file and the cause, and ends when a write succeeds", async () => {
  const { clock, logged, access, failing, release } = scenario();
  expect(access.obstacle).toBeUndefined();
  for (let times = 0; times < 5; times += 1) {
    await failing();
    await clock.advance(700);
  }
  expect(access.obstacle).toBe(locked.message);
  const begun = `warn: ${locked.message}: no trade is accepted until the ledger can be written; reads are still answered`;
  expect(logged).toEqual([begun]);
  release();
  await clock.advance(500);
  expect(access.obstacle).toBeUndefined();
  expect(logged).toEqual([begun, "info: the ledger can be written again"]);
  expect(clock.timers).toBe(0);
  await failing();
  expect(logged.at(-1)).toBe(begun);
});

test("a successful write of a caller doesn't end an episode: an empty batch fits on a full disk", async () => {
  const { access, failing } = scenario();
  await failing();
  await access.observe(Promise.resolve());
  expect(access.obstacle).toBe(locked.message);
});

test("other failures begin no episode, and are thrown unchanged", async () => {
  const { access } = scenario();
  const fenced = new BazaarError("FENCED", "term 1 has passed");
  await expect(access.observe(Promise.reject(fenced))).rejects.toBe(fenced);
  expect(access.obstacle).toBeUndefined();
});

test("after a stop, nothing is tried any more", async () => {
  const { clock, access, failing } = scenario();
  await failing();
  access.stop();
  expect(clock.timers).toBe(0);
});
