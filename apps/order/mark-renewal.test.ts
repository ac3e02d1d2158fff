import { expect, test } from "vitest";
import { silentLogger } from "@stock-bazaar/process/log";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Register } from "@stock-bazaar/shared/domain";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { renewMark } from "./mark-renewal.ts";

function scenario({ isWhole = false } = {}) {
  const clock = new ManualClock();
  const mark = {
    isWhole,
    /** Whether the file is locked. */
    locked: false,
    caughtUp() {
      if (!this.locked) this.isWhole = true;
      return this.isWhole;
    },
  };
  const log = { last: undefined, lastId: 5 };
  const ledger = { head: 7, isUp: true, asked: 0 };
  const fatal: unknown[] = [];
  const end = renewMark({
    mark,
    log,
    clock,
    logger: silentLogger,
    fatal: (error) => fatal.push(error),
    catalog: {
      async register() {
        ledger.asked += 1;
        if (!ledger.isUp) throw new BazaarError("UNAVAILABLE", "down");
        return { head: ledger.head } as Register;
      },
    },
  });
  return { clock, mark, log, ledger, fatal, end };
}

test("a replica that lacks orders is whole again once it ends where the ledger ended", async () => {
  const { clock, mark, log, ledger } = scenario();
  await clock.advance(1000);
  expect(mark.isWhole).toBe(false);
  // The ledger goes on meanwhile: what came after the question wasn't acknowledged before this start.
  ledger.head = 100;
  log.lastId = 6;
  await clock.advance(1000);
  expect(mark.isWhole).toBe(false);
  log.lastId = 7;
  await clock.advance(100);
  expect(mark.isWhole).toBe(true);
  expect(ledger.asked).toBe(1);
  expect(clock.timers).toBe(0);
});

test("the catalog is asked until it answers, and a locked file is tried again", async () => {
  const { clock, mark, log, ledger } = scenario();
  log.lastId = 7;
  ledger.isUp = false;
  mark.locked = true;
  await clock.advance(1000);
  ledger.isUp = true;
  await clock.advance(100);
  expect(mark.isWhole).toBe(false);
  mark.locked = false;
  await clock.advance(100);
  expect(mark.isWhole).toBe(true);
});

test("an error of the disk ends the replica", async () => {
  const { clock, mark, log, fatal } = scenario();
  log.lastId = 7;
  const error = new Error("EIO");
  mark.caughtUp = () => {
    throw error;
  };
  await clock.advance(10);
  expect(fatal).toEqual([error]);
});

test("a whole file needs no question, and an ended renewal asks none", async () => {
  const whole = scenario({ isWhole: true });
  const ended = scenario();
  ended.end();
  await whole.clock.advance(1000);
  await ended.clock.advance(1000);
  expect([whole.ledger.asked, ended.ledger.asked]).toEqual([0, 0]);
  expect(ended.clock.timers).toBe(0);
});
