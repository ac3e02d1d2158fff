import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { Confirmations } from "./confirmations.ts";
import { Copies } from "./copies.ts";

const followerWaitMs = 250;
const timeoutMs = 3000;

function scenario(options: { minCopies?: number; live?: readonly number[] } = {}) {
  const clock = new ManualClock();
  const copies = new Copies({ minCopies: options.minCopies ?? 1, ownId: 10 });
  for (const replica of options.live ?? []) {
    copies.joined(replica, 10);
    copies.acknowledged(replica, 10, 10);
  }
  const dropped: number[] = [];
  const confirmations = new Confirmations({ copies, clock, timeoutMs, dropped: (replica) => dropped.push(replica) });
  const acknowledge = (replica: number, id: number) => {
    copies.acknowledged(replica, id, id);
    confirmations.check();
  };
  const store = (id: number) => {
    copies.stored(id);
    confirmations.check();
  };
  return { clock, copies, confirmations, dropped, acknowledge, store };
}

test("an order that already has its copies is confirmed at once, without a timer", async () => {
  const { confirmations, clock } = scenario();
  await confirmations.confirmed(10);
  await confirmations.confirmed(0);
  expect(clock.timers).toBe(0);
});

test("each wait ends when its own order has its copies, in the order of the ids", async () => {
  const { confirmations, clock, acknowledge, store } = scenario({ live: [1] });
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

test("a leader that slept drops no follower whose acknowledgement is still unread", async () => {
  const { confirmations, clock, dropped, acknowledge, store } = scenario({ live: [1, 2] });
  const waiting = observe(confirmations.confirmed(11));
  store(11);
  acknowledge(1, 11);
  await clock.oversleep(1000);
  expect(dropped).toEqual([]);
  acknowledge(2, 11);
  await clock.flush();
  expect(waiting.state).toBe("resolved");
  // A silent follower is still dropped, one wait later.
  const next = observe(confirmations.confirmed(12));
  store(12);
  acknowledge(1, 12);
  await clock.oversleep(1000);
  await clock.advance(followerWaitMs);
  expect(dropped).toEqual([2]);
  expect(next.state).toBe("resolved");
});

test("a leader whose timers are always late still drops a frozen follower", async () => {
  const { confirmations, clock, dropped, acknowledge, store } = scenario({ live: [1, 2] });
  const waiting = observe(confirmations.confirmed(11));
  store(11);
  acknowledge(1, 11);
  await clock.oversleep(followerWaitMs + 150);
  expect(dropped).toEqual([]);
  await clock.oversleep(followerWaitMs + 150);
  expect([dropped, waiting.state]).toEqual([[2], "resolved"]);
});

test("a frozen follower delays one trade by 250 ms, and is dropped", async () => {
  const { confirmations, clock, dropped, acknowledge, store } = scenario({ live: [1, 2] });
  const first = observe(confirmations.confirmed(11));
  store(11);
  acknowledge(1, 11);
  await clock.advance(followerWaitMs - 1);
  expect(first.state).toBe("pending");
  expect(dropped).toEqual([]);
  await clock.advance(1);
  expect(first.state).toBe("resolved");
  expect(dropped).toEqual([2]);

  const second = observe(confirmations.confirmed(12));
  store(12);
  acknowledge(1, 12);
  await clock.flush();
  expect(second.state).toBe("resolved");
});

test("a follower that acknowledges older orders in time is not dropped before a younger order's own 250 ms", async () => {
  const { confirmations, clock, dropped, acknowledge, store } = scenario({ live: [1] });
  const older = observe(confirmations.confirmed(11));
  await clock.advance(200);
  const younger = observe(confirmations.confirmed(12));
  store(12);
  acknowledge(1, 11);
  await clock.advance(100);
  expect(older.state).toBe("resolved");
  expect(dropped).toEqual([]);
  await clock.advance(149);
  expect([younger.state, dropped]).toEqual(["pending", []]);
  await clock.advance(1);
  expect([younger.state, dropped]).toEqual(["resolved", [1]]);
});

test("if two copies are required, dropping the slow follower doesn't confirm the order: its wait times out", async () => {
  const { confirmations, clock, dropped, store } = scenario({ minCopies: 2, live: [1] });
  const trade = observe(confirmations.confirmed(11));
  store(11);
  await clock.advance(timeoutMs - 1);
  expect(dropped).toEqual([1]);
  expect(trade.state).toBe("pending");
  await clock.advance(1);
  expect(trade.code).toBe("DEPENDENCY_UNAVAILABLE");
  expect(clock.timers).toBe(0);
});

test("a wait that times out ends, and younger waits continue", async () => {
  const { confirmations, clock, copies, acknowledge, store } = scenario({ minCopies: 2, live: [1] });
  const older = observe(confirmations.confirmed(11));
  await clock.advance(2000);
  const younger = observe(confirmations.confirmed(12));
  store(12);
  await clock.advance(1000);
  expect([older.state, younger.state]).toEqual(["rejected", "pending"]);
  acknowledge(1, 12);
  await clock.flush();
  expect(younger.state).toBe("resolved");
  expect(copies.confirmedId).toBe(12);
});

test("when the leader stops, all waits are rejected with the reason", async () => {
  const { confirmations, clock } = scenario({ live: [1] });
  const trade = observe(confirmations.confirmed(11));
  confirmations.stop(new BazaarError("NOT_LEADER", "another replica leads"));
  await clock.flush();
  expect(trade.code).toBe("NOT_LEADER");
  expect(clock.timers).toBe(0);
});
