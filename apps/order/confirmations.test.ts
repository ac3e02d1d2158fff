import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { Confirmations } from "./confirmations.ts";
import { Copies } from "./copies.ts";

const timeoutMs = 3000;

function scenario(options: { minCopies?: number; followers?: readonly number[] } = {}) {
  const clock = new ManualClock();
  const copies = new Copies({ minCopies: options.minCopies ?? 1, ownId: 10 });
  for (const replica of options.followers ?? []) copies.joined(replica, 10);
  const confirmations = new Confirmations({ copies, clock, timeoutMs });
  const acknowledge = (replica: number, id: number) => {
    copies.acknowledged(replica, id, id);
    confirmations.check();
  };
  const store = (id: number) => {
    copies.stored(id);
    confirmations.check();
  };
  return { clock, copies, confirmations, acknowledge, store };
}

test("an order that already has its copies is confirmed at once, without a timer", async () => {
  const { confirmations, clock } = scenario();
  await confirmations.confirmed(10);
  await confirmations.confirmed(0);
  expect(clock.timers).toBe(0);
});

test("each wait ends when its own order has its copies, in the order of the ids", async () => {
  const { confirmations, clock, acknowledge, store } = scenario({ minCopies: 2, followers: [1] });
  const answered: number[] = [];
  for (const id of [11, 12, 13]) void confirmations.confirmed(id).then(() => answered.push(id));
  store(13);
  await clock.flush();
  expect(answered).toEqual([]);
  acknowledge(1, 12);
  await clock.flush();
  expect(answered).toEqual([11, 12]);
  acknowledge(1, 13);
  await clock.flush();
  expect(answered).toEqual([11, 12, 13]);
  expect(clock.timers).toBe(0);
});

test("a wait that times out ends, and younger waits continue", async () => {
  const { confirmations, clock, copies, acknowledge, store } = scenario({ minCopies: 2, followers: [1] });
  const older = observe(confirmations.confirmed(11));
  await clock.advance(2000);
  const younger = observe(confirmations.confirmed(12));
  store(12);
  await clock.advance(1000);
  expect([older.code, younger.state]).toEqual(["DEPENDENCY_UNAVAILABLE", "pending"]);
  acknowledge(1, 12);
  await clock.flush();
  expect(younger.state).toBe("resolved");
  expect(copies.confirmedId).toBe(12);
  expect(clock.timers).toBe(0);
});

test("when the leader stops, all waits are rejected with the reason", async () => {
  const { confirmations, clock } = scenario({ followers: [1] });
  const trade = observe(confirmations.confirmed(11));
  confirmations.stop(new BazaarError("NOT_LEADER", "another replica leads"));
  const late = observe(confirmations.confirmed(11));
  await clock.flush();
  expect([trade.code, late.code]).toEqual(["NOT_LEADER", "NOT_LEADER"]);
  expect(clock.timers).toBe(0);
});
