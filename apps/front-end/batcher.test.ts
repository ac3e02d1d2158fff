import { BazaarError } from "@stock-bazaar/shared/errors";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { Batcher } from "./batcher.ts";

/** Calls that the test answers. Each result is its item in upper case. */
function scenario(options: { itemsMax?: number; callsMax?: number; shareMin?: number; queueMax?: number } = {}) {
  const clock = new ManualClock();
  const calls: { items: readonly string[]; answer(): void; fail(error: unknown): void }[] = [];
  const batcher = new Batcher<string, string>({
    clock,
    itemsMax: options.itemsMax ?? 100,
    callsMax: options.callsMax ?? 1,
    ...(options.shareMin === undefined ? {} : { shareMin: options.shareMin }),
    queueMax: options.queueMax ?? 1000,
    send: (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, answer: () => resolve(items.map((item) => item.toUpperCase())), fail: reject });
      }),
  });
  return { clock, calls, batcher, push: (item: string) => observe(batcher.push(item)) };
}

test("a single item leaves at once, before any time has passed", async () => {
  const { clock, calls, push } = scenario();
  const pushed = push("a");
  await clock.flush();
  expect(calls.map(({ items }) => items)).toEqual([["a"]]);
  calls[0]?.answer();
  await clock.flush();
  expect(pushed.value).toBe("A");
  expect(clock.timers).toBe(0);
});

test("items that are pushed in one turn leave in one call", async () => {
  const { clock, calls, push } = scenario();
  for (const item of ["a", "b", "c"]) push(item);
  await clock.flush();
  expect(calls.map(({ items }) => items)).toEqual([["a", "b", "c"]]);
});

test("items that queue while the maximum of calls is in flight form the next call", async () => {
  const { clock, calls, push } = scenario();
  push("a");
  await clock.flush();
  for (const item of ["b", "c"]) {
    push(item);
    await clock.flush();
  }
  expect(calls).toHaveLength(1);
  calls[0]?.answer();
  await clock.flush();
  expect(calls.map(({ items }) => items)).toEqual([["a"], ["b", "c"]]);
});

test("`itemsMax` limits the items in a call, and `callsMax` the calls in flight", async () => {
  const { clock, calls, push } = scenario({ itemsMax: 2, callsMax: 2 });
  for (const item of ["a", "b", "c", "d", "e"]) push(item);
  await clock.flush();
  expect(calls.map(({ items }) => items)).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  calls[1]?.answer();
  await clock.flush();
  expect(calls[2]?.items).toEqual(["e"]);
});

describe("with even calls", () => {
  const letters = (count: number) => "abcdefghijklmnopqrstuvwxyz".slice(0, count).split("");
  const sizes = ({ calls }: ReturnType<typeof scenario>) => calls.map(({ items }) => items.length);

  test("many items are divided evenly, and few leave in one call", async () => {
    const many = scenario({ callsMax: 2, shareMin: 4 });
    letters(11).forEach(many.push);
    await many.clock.flush();
    expect(sizes(many)).toEqual([6, 5]);
    const few = scenario({ callsMax: 2, shareMin: 4 });
    letters(4).forEach(few.push);
    await few.clock.flush();
    expect(sizes(few)).toEqual([4]);
  });

  test("while a call is in flight, another leaves only with an even share of all items", async () => {
    const even = scenario({ callsMax: 2, shareMin: 4 });
    letters(4).forEach(even.push);
    await even.clock.flush();
    for (const item of letters(3)) {
      even.push(item);
      await even.clock.flush();
    }
    expect(sizes(even)).toEqual([4]);
    even.push("d");
    await even.clock.flush();
    expect(sizes(even)).toEqual([4, 4]);
  });

  test("items that are too few for a second call leave after the first", async () => {
    const even = scenario({ callsMax: 2, shareMin: 4 });
    letters(3).forEach(even.push);
    await even.clock.flush();
    const waiting = even.push("z");
    await even.clock.flush();
    even.calls[0]?.fail(new BazaarError("NOT_LEADER", "another replica leads"));
    await even.clock.flush();
    even.calls[1]?.answer();
    await even.clock.flush();
    expect(waiting.value).toBe("Z");
  });

  test("a large and a small group become equal", async () => {
    const even = scenario({ callsMax: 2, shareMin: 2 });
    let answered = 0;
    even.push("a");
    await even.clock.flush();
    letters(9).forEach(even.push);
    await even.clock.flush();
    // After each answer, the test pushes the same items again, like clients.
    for (let round = 0; round < 6; round += 1) {
      const call = even.calls[answered];
      answered += 1;
      call?.answer();
      await even.clock.flush();
      call?.items.forEach(even.push);
      await even.clock.flush();
    }
    expect(sizes(even).slice(-4)).toEqual([5, 5, 5, 5]);
    expect(even.calls.length - answered).toBe(2);
  });
});

test("each item gets its own result, even if the calls are answered in another order", async () => {
  const { clock, calls, push } = scenario({ itemsMax: 2, callsMax: 3 });
  const pushed = ["a", "b", "c", "d", "e"].map(push);
  await clock.flush();
  for (const call of calls.toReversed()) call.answer();
  await clock.flush();
  expect(pushed.map(({ value }) => value)).toEqual(["A", "B", "C", "D", "E"]);
});

test("a full queue refuses at once, and accepts items again when it has drained", async () => {
  const { clock, calls, push } = scenario({ queueMax: 2 });
  push("a");
  await clock.flush();
  push("b");
  push("c");
  const refused = push("d");
  await clock.flush();
  expect(refused.code).toBe("OVERLOADED");
  calls[0]?.answer();
  await clock.flush();
  const taken = push("e");
  calls[1]?.answer();
  await clock.flush();
  calls[2]?.answer();
  await clock.flush();
  expect(taken.value).toBe("E");
});

test("a failed call rejects only its own items, and the next ones are sent", async () => {
  const { clock, calls, push } = scenario();
  const failed = ["a", "b"].map(push);
  await clock.flush();
  const next = push("c");
  calls[0]?.fail(new BazaarError("NOT_LEADER", "another replica leads"));
  await clock.flush();
  calls[1]?.answer();
  await clock.flush();
  expect(failed.map(({ code }) => code)).toEqual(["NOT_LEADER", "NOT_LEADER"]);
  expect(next.value).toBe("C");
});

test("items without a result are rejected with INTERNAL_ERROR", async () => {
  const clock = new ManualClock();
  const batcher = new Batcher<string, string>({
    clock,
    itemsMax: 10,
    callsMax: 1,
    queueMax: 10,
    send: async (items) => items.slice(1),
  });
  const pushed = ["a", "b"].map((item) => observe(batcher.push(item)));
  await clock.flush();
  expect(pushed.map(({ state }) => state)).toEqual(["resolved", "rejected"]);
  expect(pushed[1]?.code).toBe("INTERNAL_ERROR");
});

test("a result may be undefined", async () => {
  const clock = new ManualClock();
  const send = async (items: readonly string[]) => items.map(() => undefined);
  const batcher = new Batcher<string, undefined>({ clock, itemsMax: 10, callsMax: 1, queueMax: 10, send });
  const pushed = observe(batcher.push("a"));
  await clock.flush();
  expect(pushed.state).toBe("resolved");
});
