import type { FrontEndState, Stream, StreamHandlers, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import { type Moment, momentOn } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test } from "vitest";
import { knownStockOf, stockOf, tailReplyOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { SeenLedger } from "./seen-ledger.ts";
import { StockCache } from "./stock-cache.ts";
import { Tail } from "./tail.ts";

const here = { address: "here:1", live: true, dialect: "pyro" };
const leaseMs = 500;
const startMs = 1000;

/** A moment on the clock of a scenario, if its wall clock was not changed. */
function moment(ms: number): Moment {
  return { monotonicMs: ms, wallMs: new ManualClock({ startMs }).wallMs() + ms - startMs };
}

interface Opened {
  readonly handlers: StreamHandlers<TailReply>;
  readonly requests: (TailRequest & { readonly atMs: number })[];
  closed: boolean;
}

/** A front-end's tail. The test plays the catalog. */
function scenario(logger: Logger = silentLogger) {
  const clock = new ManualClock({ startMs });
  const streams: Opened[] = [];
  const open = (handlers: StreamHandlers<TailReply>): Stream<TailRequest> => {
    const opened: Opened = { handlers, requests: [], closed: false };
    streams.push(opened);
    return {
      send: (request) => void opened.requests.push({ ...request, atMs: clock.nowMs() }),
      close: () => void (opened.closed = true),
    };
  };
  const cache = new StockCache({ capacity: 10, ttlMs: 0 });
  let sessions = 0;
  const ledger = new SeenLedger();
  const tail = new Tail({
    catalog: { tail: open },
    self: here,
    cache,
    ledger,
    clock,
    random: () => 0,
    newSession: () => {
      sessions += 1;
      return `session-${sessions}`;
    },
    logger,
  });
  const stream = () => {
    const last = streams.at(-1);
    if (!last) throw new Error("no stream was opened");
    return last;
  };
  const sent = (kind: TailRequest["kind"]) => stream().requests.filter((request) => request.kind === kind);
  const reply = (sequence: number, head = 0, frontEnds: FrontEndState[] = []) =>
    stream().handlers.message(tailReplyOf(sequence, head, { frontEnds }));
  const news = (head: number, name: string, { previousHead = head - 1, alone = false, life = "life" } = {}) => {
    const changes = [stockOf(name, { rev: head })];
    stream().handlers.message(tailReplyOf(-1, head, { changes, previousHead, alone, life }));
  };
  /** `settled` for the life of the replies. */
  const settledUpTo = (head: number) => tail.settled({ life: "life", head });
  return { clock, cache, ledger, tail, streams, stream, sent, reply, news, settledUpTo };
}

test("a session begins when its hello is answered, and the lease counts from the sending of the hello", async () => {
  const { clock, cache, tail, sent, reply } = scenario();
  tail.start();
  expect(sent("hello")).toMatchObject([{ session: "session-1", sequence: 0, replaces: "", atMs: 1000 }]);
  expect(cache.session).toBeUndefined();
  await clock.advance(80);
  reply(0, 7);
  expect(cache.session).toBe("session-1");
  expect(cache.leased(moment(1000 + leaseMs - 1))).toBe(true);
  expect(cache.leased(moment(1000 + leaseMs))).toBe(false);
});

test("a lease is renewed in time, counted from the sending of the renewal, not from its answer", async () => {
  const { clock, cache, tail, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  await clock.advance(100);
  expect(sent("renew")).toMatchObject([{ sequence: 1, acked: 7, atMs: 1100 }]);
  await clock.advance(90);
  reply(1, 7);
  expect(cache.leased(moment(1100 + leaseMs - 1))).toBe(true);
  expect(cache.leased(moment(1100 + leaseMs))).toBe(false);
});

test("after the machine has slept longer than a lease, nothing is served until the next renewal is answered", async () => {
  const { clock, cache, tail, reply } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill("session-1", knownStockOf("A", { rev: 7 }), clock.nowMs());
  expect(cache.get("A", momentOn(clock))?.rev).toBe(7);
  // While a machine sleeps, only its wall clock keeps running.
  clock.setWall(leaseMs);
  expect(cache.get("A", momentOn(clock))).toBeUndefined();
  await clock.advance(100);
  reply(1, 7);
  expect(cache.get("A", momentOn(clock))?.rev).toBe(7);
});

test("only a hello carries the head that was seen and the length of the last lease", async () => {
  const { clock, ledger, tail, stream, sent, reply, news } = scenario();
  tail.start();
  expect(sent("hello")).toMatchObject([{ seen: undefined, leaseMs: 0 }]);
  reply(0, 7);
  news(9, "A", { previousHead: 7 });
  await clock.advance(100);
  expect(sent("ack")).toMatchObject([{ seen: undefined, leaseMs: 0 }]);
  expect(sent("renew")).toMatchObject([{ seen: undefined, leaseMs: 0 }]);
  ledger.ends({ life: "life", head: 12 });
  stream().handlers.ended();
  await clock.advance(20);
  expect(sent("hello")).toMatchObject([{ session: "session-2", seen: { life: "life", head: 12 }, leaseMs }]);
});

test("the heads in answers and changes are remembered", () => {
  const { ledger, tail, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  expect(ledger.seen).toEqual({ life: "life", head: 7 });
  news(8, "A");
  expect(ledger.seen).toEqual({ life: "life", head: 8 });
});

test("`others` lists the front-ends in the last answer without this one, and is empty without a session", async () => {
  const { clock, tail, stream, sent, reply } = scenario();
  const there = { address: "there:1", live: true, dialect: "streaming" };
  tail.start();
  expect(sent("hello")).toMatchObject([{ address: "here:1", dialect: "pyro" }]);
  expect(tail.others).toEqual([]);
  reply(0, 7, [here, there]);
  expect(tail.others).toEqual([there]);
  await clock.advance(100);
  reply(1, 7, [here, { ...there, live: false }]);
  expect(tail.others).toEqual([{ ...there, live: false }]);
  stream().handlers.ended();
  expect(tail.others).toEqual([]);
});

test("an answer to a renewal counts once, and an answer to no renewal not at all", async () => {
  const { clock, cache, tail, reply } = scenario();
  tail.start();
  reply(0, 7);
  await clock.advance(100);
  reply(1, 7);
  await clock.advance(50);
  reply(1, 7);
  reply(9, 7);
  expect(cache.leased(moment(1100 + leaseMs))).toBe(false);
});

test("a change is acknowledged only after the cache no longer serves the older stock", async () => {
  const { cache, tail, stream, sent, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 5 }), 1000);
  const opened = stream();
  let servedWhenAcked: unknown = "not acknowledged";
  const push = opened.requests.push.bind(opened.requests);
  opened.requests.push = (...requests) => {
    if (requests[0]?.kind === "ack") servedWhenAcked = cache.get("A", moment(1000));
    return push(...requests);
  };
  news(8, "A");
  expect(sent("ack")).toMatchObject([{ session: "session-1", acked: 8 }]);
  expect(servedWhenAcked).toBeUndefined();
});

test("a replaced stock has the life of the change", () => {
  const { cache, tail, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 5, life: "another life" }), 1000);
  news(8, "A", { alone: true, life: "another life" });
  expect(cache.get("A", moment(1000))).toEqual(knownStockOf("A", { rev: 8, life: "another life" }));
});

test("at the level debug, each change and the end of the session are logged", async () => {
  const lines: unknown[] = [];
  const logger: Logger = {
    ...silentLogger,
    isLevelEnabled: () => true,
    debug: (fields: object, message?: string) => void lines.push({ ...fields, message }),
    info: () => {},
  };
  const { cache, tail, reply, news } = scenario(logger);
  tail.start();
  reply(0, 7);
  for (const name of ["A", "B"]) cache.fill(cache.session, knownStockOf(name, { rev: 5 }), 1000);
  news(8, "A", { alone: true });
  news(9, "B");
  news(10, "C");
  expect(lines).toMatchObject([
    { message: "cache invalidation", name: "A", rev: 8, cached: "replaced", session: "session-1" },
    { message: "cache invalidation", name: "B", rev: 9, cached: "evicted" },
    { message: "cache invalidation", name: "C", rev: 10, cached: "not cached" },
  ]);
});

test("without another front-end, a change replaces a cached stock, which is served at once, and adds no other", async () => {
  const { clock, cache, tail, sent, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 5 }), 1000);
  news(8, "A", { alone: true });
  news(9, "B", { alone: true });
  await clock.advance(5);
  expect(sent("ack").map(({ acked }) => acked)).toEqual([8, 9]);
  expect(cache.get("A", moment(1000))).toEqual(knownStockOf("A", { rev: 8 }));
  expect(cache.get("B", moment(1000))).toBeUndefined();
  news(10, "A");
  expect(cache.get("A", moment(1000))).toBeUndefined();
});

test("without another front-end, changes are acknowledged at most every 5 ms, and before a read at the catalog", async () => {
  const { clock, tail, sent, reply, news } = scenario();
  const acked = () => sent("ack").map((ack) => ack.acked);
  tail.start();
  reply(0, 7);
  for (let id = 8; id <= 10; id += 1) news(id, "A", { alone: true });
  expect(acked()).toEqual([8]);
  await clock.advance(4);
  news(11, "A", { alone: true });
  expect(acked()).toEqual([8]);
  await clock.advance(1);
  expect(acked()).toEqual([8, 11]);
  await clock.advance(50);
  expect(acked()).toEqual([8, 11]);

  for (let id = 12; id <= 13; id += 1) news(id, "A", { alone: true });
  tail.acknowledge();
  tail.acknowledge();
  expect(acked()).toEqual([8, 11, 12, 13]);
  await clock.advance(50);
  news(14, "A", { alone: true });
  news(15, "A", { alone: true });
  // Another front-end's cache may wait for this one now.
  news(16, "A");
  expect(acked()).toEqual([8, 11, 12, 13, 14, 16]);
});

test("a lookup that was in flight when the change arrived is not stored", async () => {
  const { cache, tail, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  const { session } = cache;
  news(8, "A");
  cache.fill(session, knownStockOf("A", { rev: 5 }), 1000);
  expect(cache.get("A", moment(1000))).toBeUndefined();
});

test("the acknowledged id never falls, and is sent with every renewal", async () => {
  const { clock, tail, sent, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  news(9, "A", { previousHead: 7 });
  news(8, "B", { previousHead: 7 });
  await clock.advance(100);
  expect(sent("ack").map(({ acked }) => acked)).toEqual([9]);
  expect(sent("renew").map(({ acked }) => acked)).toEqual([9]);
});

test("a change after a missing one is not acknowledged: the session ends, and another begins", async () => {
  const { clock, cache, tail, sent, reply, news } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 7 }), clock.nowMs());
  news(9, "B", { previousHead: 8 });
  expect(sent("ack")).toEqual([]);
  expect(cache.session).toBeUndefined();
  expect(cache.get("A", momentOn(clock))).toBeUndefined();
  await clock.advance(100);
  expect(sent("hello")).toMatchObject([{ session: "session-2", replaces: "session-1" }]);
});

test("the head in the answer to a renewal acknowledges nothing: the change may still be in flight", async () => {
  const { clock, tail, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  await clock.advance(100);
  reply(1, 12);
  await clock.advance(100);
  expect(sent("renew").map(({ acked }) => acked)).toEqual([7, 7]);
});

test("when the stream ends, nothing is served, and a new session begins that replaces the old one", async () => {
  const { clock, cache, tail, streams, stream, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 5 }), 1000);
  stream().handlers.ended(new BazaarError("UNAVAILABLE", "gone"));
  expect(cache.session).toBeUndefined();
  expect(cache.leased(momentOn(clock))).toBe(false);
  await clock.advance(500);
  expect(streams).toHaveLength(2);
  expect(sent("hello")).toMatchObject([{ session: "session-2", replaces: "session-1", acked: 0, sequence: 0 }]);
  reply(0, 9);
  expect(cache.session).toBe("session-2");
  expect(cache.get("A", momentOn(clock))).toBeUndefined();
});

test("messages of an abandoned stream change nothing", async () => {
  const { clock, cache, tail, streams, stream, reply } = scenario();
  tail.start();
  reply(0, 7);
  const old = stream();
  old.handlers.ended();
  await clock.advance(20);
  old.handlers.message(tailReplyOf(0, 7));
  old.handlers.ended();
  expect(cache.session).toBeUndefined();
  expect(streams).toHaveLength(2);
  await clock.advance(20);
  expect(streams).toHaveLength(2);
});

test("a hello without an answer times out, and the waits between attempts grow up to a bound", async () => {
  const { clock, cache, tail, streams, stream } = scenario();
  tail.start();
  await clock.advance(1000);
  expect(stream().closed).toBe(true);
  await clock.advance(20);
  expect(streams).toHaveLength(2);
  expect(cache.session).toBeUndefined();
  await clock.advance(30_000);
  expect(streams.length).toBeGreaterThan(15);
  expect(streams.length).toBeLessThan(60);
  expect(streams.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(1);
});

test("without answers to the renewals, the lease expires, and then the session ends", async () => {
  const { clock, cache, tail, streams, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  await clock.advance(leaseMs);
  expect(cache.leased(momentOn(clock))).toBe(false);
  expect(sent("renew")).toHaveLength(5);
  await clock.advance(200);
  expect(streams).toHaveLength(2);
  expect(cache.session).toBeUndefined();
});

test("a front-end that was frozen and wakes up serves nothing before a renewal is answered", async () => {
  const { clock, cache, tail, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  cache.fill(cache.session, knownStockOf("A", { rev: 5 }), 1000);
  await clock.oversleep(5000);
  expect(cache.get("A", momentOn(clock))).toBeUndefined();
  const wokeMs = clock.nowMs();
  expect(sent("renew")).toMatchObject([{ sequence: 1, atMs: wokeMs }]);
});

test("stopping returns the lease, and nothing is served any more", async () => {
  const { clock, cache, tail, streams, stream, sent, reply } = scenario();
  tail.start();
  reply(0, 7);
  const stopped = tail.stop();
  expect(sent("goodbye")).toMatchObject([{ session: "session-1" }]);
  expect(cache.leased(momentOn(clock))).toBe(false);
  // The stop doesn't wait long for a catalog that doesn't answer.
  await clock.advance(1000);
  await stopped;
  expect(stream().closed).toBe(true);
  await clock.advance(10_000);
  expect(streams).toHaveLength(1);
  expect(clock.timers).toBe(0);
});

describe("settlement while no other front-end may serve (R7)", () => {
  test("a change is settled once the cache has processed it", async () => {
    const { clock, cache, tail, reply, news, settledUpTo } = scenario();
    tail.start();
    reply(0, 7);
    cache.fill(cache.session, knownStockOf("A", { rev: 5 }), clock.nowMs());
    news(8, "B", { alone: true });
    expect(tail.alone).toBe(true);
    let servedWhenSettled: number | undefined;
    const settled = observe(
      settledUpTo(9).then((isSettled) => {
        servedWhenSettled = cache.get("A", momentOn(clock))?.rev;
        return isSettled;
      }),
    );
    await clock.flush();
    expect(settled.state).toBe("pending");
    news(9, "A", { alone: true });
    await clock.flush();
    expect([settled.value, servedWhenSettled]).toEqual([true, 9]);
    const earlier = [1, 7, 8, 9].map((head) => observe(settledUpTo(head)));
    await clock.flush();
    expect(earlier.map(({ value }) => value)).toEqual([true, true, true, true]);
  });

  test("a change of another life is never settled here, whatever its id", async () => {
    const { clock, tail, reply, news, settledUpTo } = scenario();
    tail.start();
    reply(0, 7);
    news(8, "A", { alone: true });
    const others = ["", "another life"].flatMap((life) => [8, 9].map((head) => observe(tail.settled({ life, head }))));
    await clock.flush();
    expect(others.map(({ value }) => value)).toEqual([false, false, false, false]);
    expect(await settledUpTo(8)).toBe(true);
  });

  test("before the first change, the front-end doesn't count as alone", async () => {
    const { tail, reply, settledUpTo } = scenario();
    tail.start();
    expect(tail.alone).toBe(false);
    reply(0, 7);
    expect(tail.alone).toBe(false);
    expect(await settledUpTo(7)).toBe(false);
  });

  test("when another may serve, no further change is settled here, and settled ones stay settled", async () => {
    const { clock, tail, reply, news, settledUpTo } = scenario();
    tail.start();
    reply(0, 7);
    news(8, "A", { alone: true });
    const waiting = observe(settledUpTo(9));
    news(9, "A");
    await clock.flush();
    expect([waiting.value, tail.alone]).toEqual([false, false]);
    expect(await settledUpTo(9)).toBe(false);
    expect(await settledUpTo(8)).toBe(true);
  });

  test.each(["the stream ends", "a change is missing", "the front-end stops"])(
    "when %s, waiting calls resolve with false",
    async (what) => {
      const { clock, tail, stream, reply, news, settledUpTo } = scenario();
      tail.start();
      reply(0, 7);
      news(8, "A", { alone: true });
      const waiting = observe(settledUpTo(9));
      if (what === "the stream ends") stream().handlers.ended();
      else if (what === "a change is missing") news(10, "A", { alone: true, previousHead: 9 });
      else void tail.stop();
      await clock.flush();
      expect([waiting.value, tail.alone]).toEqual([false, false]);
    },
  );

  test("ids that an earlier session has settled don't count: the ledger may have been rebuilt", async () => {
    const { clock, tail, stream, reply, news, settledUpTo } = scenario();
    tail.start();
    reply(0, 7);
    news(8, "A", { alone: true });
    stream().handlers.ended();
    await clock.advance(20);
    reply(0, 5);
    expect(await settledUpTo(7)).toBe(false);
    news(6, "A", { alone: true });
    const waiting = observe(settledUpTo(7));
    await clock.flush();
    expect(waiting.state).toBe("pending");
  });
});
