import type { CatalogApi, StreamHandlers, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { registerOf, tailReplyOf, tailRequestOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { recorder } from "../../test/support/streams.ts";
import { ActiveCatalog } from "./active-catalog.ts";

const timeoutMs = 3000;
const silenceMs = 500;

/** How a catalog answers: as the active one, not at all, or with an error. */
type Mood = "active" | "silent" | ErrorCode;

class FakeCatalog {
  mood: Mood;
  /** Whether it answers only the register, and nothing else. */
  isBusy = false;
  /** How often each call was made. */
  readonly asked = { register: 0, settle: 0 };
  /** Answers the calls that were made in silence, like a process that wakes. */
  readonly #waiting: (() => void)[] = [];
  readonly tails: { readonly handlers: StreamHandlers<TailReply>; readonly sent: TailRequest[]; closes: number }[] = [];

  constructor(mood: Mood) {
    this.mood = mood;
  }

  readonly api = {
    register: () => this.#answer("register", registerOf()),
    settle: () => this.#answer("settle", undefined),
    tail: (handlers: StreamHandlers<TailReply>) => {
      const tail = { handlers, sent: [] as TailRequest[], closes: 0 };
      this.tails.push(tail);
      return { send: (request: TailRequest) => void tail.sent.push(request), close: () => void (tail.closes += 1) };
    },
  } as unknown as CatalogApi;

  wake(mood: Mood): void {
    this.mood = mood;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  async #answer<Result>(call: keyof FakeCatalog["asked"], result: Result): Promise<Result> {
    this.asked[call] += 1;
    if (this.mood === "silent" || (this.isBusy && call !== "register"))
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.mood !== "active" && this.mood !== "silent") throw new BazaarError(this.mood, "so it is");
    return result;
  }
}

function setUp(...moods: readonly Mood[]) {
  const clock = new ManualClock();
  const catalogs = moods.map((mood) => new FakeCatalog(mood));
  const active = new ActiveCatalog({
    catalogs: catalogs.map(({ api }, index) => ({ address: `catalog:${index + 1}`, catalog: api })),
    clock,
    timeoutMs,
  });
  const [first, second, third] = catalogs as [FakeCatalog, FakeCatalog, FakeCatalog];
  return { clock, active, first, second, third };
}

test("a call that a standby refused is made again at the active catalog, and later ones go there at once", async () => {
  const { active, first, second } = setUp("NOT_ACTIVE", "active");
  await active.settle(1);
  expect([first.asked.settle, second.asked.settle]).toEqual([1, 1]);
  await active.settle(2);
  expect([first.asked.settle, second.asked.settle]).toEqual([1, 2]);
  expect([first.asked.register, second.asked.register]).toEqual([1, 1]);
});

test("however many calls fail, there is one search, with one request under way to each catalog", async () => {
  const { clock, active, first, second, third } = setUp("NOT_ACTIVE", "NOT_ACTIVE", "silent");
  const calls = Array.from({ length: 100 }, (_, index) => observe(active.settle(index)));
  await clock.flush();
  expect([first, second, third].map(({ asked }) => asked.register)).toEqual([1, 1, 1]);
  await clock.advance(400);
  // A refusal is asked for again after 50 ms; a silent catalog isn't asked twice.
  expect([first, second, third].map(({ asked }) => asked.register)).toEqual([9, 9, 1]);
  expect(calls.every(({ state }) => state === "pending")).toBe(true);
  second.mood = "active";
  await clock.advance(50);
  expect(calls.every(({ state }) => state === "resolved")).toBe(true);
  const { register } = first.asked;
  await clock.advance(1000);
  expect(first.asked.register).toBe(register);
});

test("a call that is unanswered for 500 ms begins a search; then its outcome is unknown, and it isn't made again", async () => {
  const { clock, active, first, second } = setUp("silent", "active");
  const call = observe(active.settle(1));
  await clock.advance(silenceMs - 1);
  expect(second.asked.register).toBe(0);
  await clock.advance(1);
  expect([first.asked.register, second.asked.register]).toEqual([1, 1]);
  expect(call).toMatchObject({ state: "rejected", code: "UNAVAILABLE" });
  expect(second.asked.settle).toBe(0);
  await active.settle(2);
  // The answer of the catalog that was left changes nothing any more.
  first.wake("active");
  await clock.flush();
  await active.settle(3);
  expect([first.asked.settle, second.asked.settle]).toEqual([1, 2]);
});

test("a later call than a silent one begins a search as well", async () => {
  const { clock, active, first, second } = setUp("active", "active");
  await active.settle(1);
  await clock.advance(400);
  first.mood = "silent";
  const call = observe(active.settle(2));
  await clock.advance(silenceMs - 1);
  expect([call.state, second.asked.register]).toEqual(["pending", 0]);
  await clock.advance(1);
  expect(call.code).toBe("UNAVAILABLE");
});

test("a catalog that is only slow keeps its calls", async () => {
  const { clock, active, first } = setUp("active", "NOT_ACTIVE");
  first.isBusy = true;
  const call = observe(active.settle(1));
  await clock.advance(silenceMs + 100);
  expect(first.asked.register).toBe(1);
  await clock.advance(silenceMs);
  expect(first.asked.register).toBe(2);
  expect(call.state).toBe("pending");
  first.isBusy = false;
  first.wake("active");
  await clock.flush();
  expect(call.state).toBe("resolved");
  await active.settle(2);
  expect(first.asked.settle).toBe(2);
});

test.each(["UNAVAILABLE", "STORAGE_UNAVAILABLE"] as const)(
  "a call that fails with %s is rejected at once, and begins a search",
  async (code) => {
    const { clock, active, first, second } = setUp(code, "active");
    const call = observe(active.settle(1));
    await clock.flush();
    expect(call).toMatchObject({ state: "rejected", code });
    await active.settle(2);
    expect([first.asked.settle, second.asked.settle]).toEqual([1, 1]);
  },
);

test.each(["FENCED", "DIVERGED", "STALE_TERM"] as const)(
  "%s is the active catalog's answer: no search",
  async (code) => {
    const { clock, active, first, second } = setUp(code, "NOT_ACTIVE");
    const call = observe(active.settle(1));
    await clock.advance(1000);
    expect(call.code).toBe(code);
    expect([first.asked.register, second.asked.register]).toEqual([0, 0]);
  },
);

test("a catalog that refuses everything since its ledger was longer once is the active one", async () => {
  const { clock, active, second } = setUp("NOT_ACTIVE", "DIVERGED");
  const call = observe(active.settle(1));
  await clock.flush();
  expect(call.code).toBe("DIVERGED");
  expect(second.asked.settle).toBe(1);
});

test("while no catalog is active, a call fails after the longest time, and the next one searches again", async () => {
  const { clock, active, second } = setUp("NOT_ACTIVE", "NOT_ACTIVE");
  const call = observe(active.settle(1));
  await clock.advance(timeoutMs - 1);
  expect(call.state).toBe("pending");
  await clock.advance(1);
  expect(call).toMatchObject({ state: "rejected", code: "UNAVAILABLE" });
  const { register } = second.asked;
  await clock.advance(1000);
  expect(second.asked.register).toBe(register);
  const next = observe(active.settle(2));
  await clock.flush();
  second.mood = "active";
  await clock.advance(50);
  expect(next.state).toBe("resolved");
});

test("streams that are open to another catalog than the active one end, their outcome unknown", async () => {
  const { clock, active, first, second } = setUp("active", "active");
  const [one, other] = [recorder<TailReply>(), recorder<TailReply>()];
  const stream = active.tail(one);
  active.tail(other).close();
  stream.send(tailRequestOf("session", "hello"));
  const [tail, closed] = first.tails;
  expect([tail?.sent.length, closed?.closes]).toEqual([1, 1]);
  tail?.handlers.message(tailReplyOf(0, 0));

  first.mood = "NOT_ACTIVE";
  await active.settle(1);
  expect(one).toMatchObject({ messages: [{ sequence: 0 }], ends: ["UNAVAILABLE"] });
  expect(other.ends).toEqual([]);
  expect([tail?.closes, closed?.closes]).toEqual([1, 1]);
  const { register } = second.asked;
  tail?.handlers.message(tailReplyOf(1, 0));
  tail?.handlers.ended(new BazaarError("UNAVAILABLE", "a late end"));
  expect(second.asked.register).toBe(register);
  expect(one).toMatchObject({ messages: [{ sequence: 0 }], ends: ["UNAVAILABLE"] });

  active.tail(recorder());
  expect([first.tails.length, second.tails.length]).toEqual([2, 1]);
  await clock.advance(5000);
  expect(clock.timers).toBe(0);
});

test("a stream without messages is no sign of a frozen catalog", async () => {
  const { clock, active, first, second } = setUp("silent", "active");
  active.tail(recorder());
  await clock.advance(10 * silenceMs);
  first.mood = "active";
  await active.settle(1);
  await clock.advance(10 * silenceMs);
  expect([first.asked.register, second.asked.register]).toEqual([0, 0]);
});

test("a stream that a standby refuses ends with its refusal, and the next one is opened at the active catalog", async () => {
  const { clock, active, first, second } = setUp("NOT_ACTIVE", "active");
  const tail = recorder<TailReply>();
  active.tail(tail);
  first.tails[0]?.handlers.ended(new BazaarError("NOT_ACTIVE", "a standby"));
  expect(tail.ends).toEqual(["NOT_ACTIVE"]);
  await clock.flush();
  active.tail(recorder());
  expect(second.tails).toHaveLength(1);
  // One that the caller was told is over begins no search.
  const { register } = first.asked;
  second.tails[0]?.handlers.ended();
  await clock.advance(1000);
  expect(first.asked.register).toBe(register);
});

test("the states show which catalog is active, which stand by, and which are away", async () => {
  const statesOf = async (...moods: readonly Mood[]) => {
    const { clock, active } = setUp(...moods);
    const states = observe(active.states());
    await clock.advance(silenceMs);
    return states.value?.map(({ address, state }) => `${address} ${state}`);
  };
  expect(await statesOf("NOT_ACTIVE", "active", "UNAVAILABLE")).toEqual([
    "catalog:1 standby",
    "catalog:2 active",
    "catalog:3 away",
  ]);
  expect(await statesOf("silent", "STORAGE_UNAVAILABLE", "DIVERGED")).toEqual([
    "catalog:1 away",
    "catalog:2 away",
    "catalog:3 active",
  ]);
});
