import type { FollowReply, FollowRequest, StreamHandlers } from "@stock-bazaar/shared/api";
import { openOrdersInMemory } from "../../test/support/in-memory.ts";
import { OrderBatch } from "@stock-bazaar/shared/batches";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { expect, test } from "vitest";
import { acknowledgementOf, orderOf, ordersOf, positionOf, registerOf } from "../../test/support/builders.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { Follower, type Leadership } from "./follower.ts";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";

interface Opened {
  readonly leader: number;
  readonly atMs: number;
  readonly handlers: StreamHandlers<FollowReply>;
  readonly sent: FollowRequest[];
  closed: boolean;
}

/** A follower, replica 1. The test plays the leader. */
function scenario(known: Leadership = { term: 1, leader: 3 }) {
  const clock = new ManualClock();
  const log = createSqliteOrderLog(openOrdersInMemory());
  const streams: Opened[] = [];
  const fatal: unknown[] = [];
  const logged: object[] = [];
  const state = { known, register: known, catalogIsUp: true, appends: 0 };
  const append = log.append.bind(log);
  log.append = (orders) => {
    state.appends += 1;
    return append(orders);
  };
  const follower = new Follower({
    replicaId: 1,
    catalog: {
      async register() {
        if (!state.catalogIsUp) throw new BazaarError("UNAVAILABLE", "the catalog is away");
        return registerOf(state.register);
      },
    },
    log,
    clock,
    random: () => 0,
    logger: {
      ...silentLogger,
      info: ((fields: object, text: string) => void logged.push({ ...fields, text })) as Logger["info"],
      isLevelEnabled: () => false,
    },
    peer: (leader) =>
      leader === 0
        ? undefined
        : {
            follow(handlers) {
              const opened: Opened = { leader, atMs: clock.nowMs(), handlers, sent: [], closed: false };
              streams.push(opened);
              return {
                send: (request) => void opened.sent.push(request),
                close: () => void (opened.closed = true),
              };
            },
          },
    known: () => state.known,
    learned: ({ term, leader }) => {
      if (term > state.known.term) state.known = { term, leader };
    },
    fatal: (error) => fatal.push(error),
  });
  const stream = () => {
    const last = streams.at(-1);
    if (!last) throw new Error("no stream was opened");
    return last;
  };
  const send = (orders: readonly Order[], to = stream()) =>
    to.handlers.message({ term: state.known.term, tailId: orders.at(-1)?.id ?? 0, orders: new OrderBatch(orders) });
  return { clock, log, follower, streams, stream, send, fatal, logged, state };
}

test("sends its last order, stores the next ones, and acknowledges what is on its disk", async () => {
  const { clock, log, follower, stream, send } = scenario();
  await log.append(ordersOf(1, 3));
  follower.start();
  await clock.flush();
  expect(stream()).toMatchObject({ leader: 3, sent: [positionOf(1, orderOf(3))] });
  send(ordersOf(4, 6));
  expect(stream().sent).toHaveLength(1);
  await clock.flush();
  expect(log.lastId).toBe(6);
  expect(stream().sent.slice(1)).toEqual([acknowledgementOf(1, 6)]);
});

test("logs that it has caught up when it holds the leader's newest order", async () => {
  const { clock, follower, stream, send, logged } = scenario();
  const alive = (tailId: number) => stream().handlers.message({ term: 1, tailId, orders: OrderBatch.empty });
  follower.start();
  await clock.flush();
  alive(300);
  send(ordersOf(1, 200));
  await clock.flush();
  alive(300);
  expect(logged).toEqual([]);
  send(ordersOf(201, 300));
  await clock.flush();
  alive(300);
  alive(300);
  expect(logged).toEqual([{ leader: 3, orders: 300, lastId: 300, text: "caught up" }]);
});

test("orders that arrive in one turn are stored in one transaction", async () => {
  const { clock, log, follower, send, state } = scenario();
  follower.start();
  await clock.flush();
  for (let id = 1; id <= 100; id += 1) send([orderOf(id)]);
  await clock.flush();
  expect(log.lastId).toBe(100);
  expect(state.appends).toBe(1);
});

test("orders that it already holds are not stored again", async () => {
  const { clock, log, follower, send, fatal } = scenario();
  follower.start();
  await clock.flush();
  send(ordersOf(1, 5));
  await clock.flush();
  send(ordersOf(3, 7));
  await clock.flush();
  expect(await log.after(0, 100)).toEqual(ordersOf(1, 7));
  expect(fatal).toEqual([]);
});

test("a gap is never stored: the follower asks again after its last order", async () => {
  const { clock, log, follower, stream, streams, send, fatal } = scenario();
  follower.start();
  await clock.flush();
  send(ordersOf(1, 2));
  await clock.flush();
  send(ordersOf(4, 5));
  await clock.advance(100);
  expect(log.lastId).toBe(2);
  expect(streams[0]?.closed).toBe(true);
  expect(stream().sent).toEqual([positionOf(1, orderOf(2))]);
  send(ordersOf(3, 5));
  await clock.flush();
  expect(log.lastId).toBe(5);
  expect(fatal).toEqual([]);
});

test("a sign of life is acknowledged, so that the leader gets one too", async () => {
  const { clock, follower, stream, send } = scenario();
  follower.start();
  await clock.flush();
  send([]);
  expect(stream().sent).toHaveLength(2);
});

test("the stream to a silent leader is ended; signs of life keep it open", async () => {
  const { clock, follower, streams, send } = scenario();
  follower.start();
  for (let beats = 0; beats < 30; beats += 1) {
    await clock.advance(100);
    send([]);
  }
  expect(streams).toHaveLength(1);
  await clock.advance(2000);
  expect(streams.length).toBeGreaterThan(1);
  expect(streams[0]?.closed).toBe(true);
});

test("after this process has slept, the leader gets another interval before it counts as silent", async () => {
  const { clock, follower, streams, send } = scenario();
  follower.start();
  await clock.advance(100);
  await clock.oversleep(10_000);
  expect(streams).toHaveLength(1);
  send([]);
  await clock.advance(900);
  expect(streams).toHaveLength(1);
});

test("a stream that ends is opened again, at growing intervals up to half a second", async () => {
  const { clock, follower, streams, stream } = scenario();
  follower.start();
  await clock.flush();
  for (let attempts = 0; attempts < 12; attempts += 1) {
    const before = streams.length;
    stream().handlers.ended(new BazaarError("UNAVAILABLE", "gone"));
    await clock.advance(500);
    expect(streams.length).toBe(before + 1);
    expect(stream().closed).toBe(false);
  }
  const waits = streams.slice(1).map(({ atMs }, index) => atMs - (streams[index]?.atMs ?? 0));
  expect(waits[0]).toBeLessThanOrEqual(20);
  expect(Math.max(...waits)).toBeLessThanOrEqual(500 * 2);
});

test("a hint of a new leader makes it follow that leader at once", async () => {
  const { clock, follower, streams, stream, state } = scenario();
  follower.start();
  await clock.flush();
  const beforeMs = clock.nowMs();
  state.known = { term: 2, leader: 2 };
  follower.leaderChanged();
  await clock.flush();
  expect(clock.nowMs()).toBe(beforeMs);
  expect(streams[0]?.closed).toBe(true);
  expect(stream()).toMatchObject({ leader: 2, closed: false });
});

test("without a hint it finds the leader in the register", async () => {
  const { clock, follower, stream, streams, state } = scenario({ term: 0, leader: 0 });
  follower.start();
  await clock.advance(1000);
  expect(streams).toHaveLength(0);
  state.register = { term: 4, leader: 2 };
  await clock.advance(600);
  expect(stream().leader).toBe(2);
});

test("while the catalog is away, it keeps asking", async () => {
  const { clock, follower, stream, state } = scenario({ term: 0, leader: 0 });
  state.catalogIsUp = false;
  follower.start();
  await clock.advance(60_000);
  state.catalogIsUp = true;
  state.register = { term: 4, leader: 2 };
  await clock.advance(600);
  expect(stream().leader).toBe(2);
});

test("it never follows itself", async () => {
  const { clock, follower, streams } = scenario({ term: 3, leader: 1 });
  follower.start();
  await clock.advance(2000);
  expect(streams).toHaveLength(0);
});

test("after stopping, nothing more is stored, not even orders that have already arrived", async () => {
  const { clock, log, follower, stream, send } = scenario();
  follower.start();
  await clock.flush();
  send(ordersOf(1, 3));
  const stopped = observe(follower.stop());
  await clock.flush();
  expect(stopped.state).toBe("resolved");
  const id = log.lastId;
  send(ordersOf(id + 1, id + 3), stream());
  await clock.advance(5000);
  expect(log.lastId).toBe(id);
  expect(clock.timers).toBe(0);
});

test("it can be started again after it was stopped", async () => {
  const { clock, log, follower, streams, send } = scenario();
  follower.start();
  await clock.flush();
  const stopped = follower.stop();
  await clock.flush();
  await stopped;
  follower.start();
  await clock.flush();
  expect(streams).toHaveLength(2);
  send(ordersOf(1, 2));
  await clock.flush();
  expect(log.lastId).toBe(2);
});

test("a failing disk is fatal", async () => {
  const { clock, log, follower, send, fatal } = scenario();
  log.append = () => Promise.reject(new Error("disk full"));
  follower.start();
  await clock.flush();
  send(ordersOf(1, 2));
  await clock.flush();
  expect(fatal).toMatchObject([{ message: "disk full" }]);
});
