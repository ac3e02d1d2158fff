import { promises as dns } from "node:dns";
import { serveCatalog } from "@stock-bazaar/transport/catalog-service";
import { type Relay, startRelay } from "@stock-bazaar/cluster/relay";
import { eventually } from "@stock-bazaar/cluster/wait";
import { serveReplica } from "@stock-bazaar/transport/order-service";
import {
  type Applied,
  type CatalogApi,
  type CopyApi,
  type Extended,
  type FollowReply,
  type FollowRequest,
  type OrderApi,
  ordersPageMax,
  type ReplicaStatus,
  restockPageMax,
  stocksPageMax,
  type StreamHandlers,
  type TailReply,
  type TailRequest,
  type Traded,
} from "@stock-bazaar/shared/api";
import { OrderBatch, unpackTrades } from "@stock-bazaar/shared/batches";
import { connectCatalog } from "@stock-bazaar/transport/catalog-client";
import { isSameOrder, type Order, type Outcome, type Stock } from "@stock-bazaar/shared/domain";
import { BazaarError, errorCodes, OtherVersionError } from "@stock-bazaar/shared/errors";
import { CatalogService } from "@stock-bazaar/proto/generated/bazaar";
import { CallStreams } from "@stock-bazaar/transport/call-streams";
import { callUnary, createClient } from "@stock-bazaar/transport/client";
import { CallerHandshake, type Speaker, speakerOf } from "@stock-bazaar/transport/handshake";
import { type RunningServer, serveDuplex, serveUnary, type Service, startServer } from "@stock-bazaar/transport/server";
import { catalogVariables } from "@stock-bazaar/process/addresses";
import { silentLogger } from "@stock-bazaar/process/log";
import { connectReplica } from "@stock-bazaar/transport/order-client";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  accepted,
  acknowledgementOf,
  allStocks,
  asking,
  batchOf,
  callOf,
  orderOf,
  ordersOf,
  positionOf,
  statusOf,
  stockOf,
  tailReplyOf,
  tailRequestOf,
  tradeOf,
  traded,
  tradesOf,
} from "../support/builders.ts";
import { rejectionCode } from "../support/observe.ts";
import { type Recorder, recorder } from "../support/streams.ts";

// Real sockets, on machines that may be busy.
vi.setConfig({ testTimeout: 20_000 });

afterEach(() => vi.restoreAllMocks());

const anywhere = { host: "127.0.0.1", port: 0, variables: catalogVariables };
/** Far longer than anything here takes: a test that needs it has failed. */
const patientMs = 10_000;
const patient = { timeoutMs: patientMs, pollMs: 2 };
/** A deadline that is waited for, and that no other call misses, however busy the machine is. */
const deadlineMs = 1000;
/** What a person would still call at once. */
const quickMs = 1000;
const windowBytes = 64 * 1024;
/** A text that is larger than HTTP/2's first window. */
const longText = "x".repeat(4 * windowBytes);
const many = 10_000;
/** As large as an id can be, so that every field takes its full size. */
const largeId = Number.MAX_SAFE_INTEGER - many;

function notAsked(): never {
  throw new BazaarError("INTERNAL_ERROR", "this test didn't expect the call");
}

/** What a service behind the link does: only what a test names. */
function catalogStub(methods: Partial<CatalogApi>): CatalogApi {
  const rejects = async () => notAsked();
  return {
    apply: rejects,
    restock: rejects,
    settle: rejects,
    lookup: rejects,
    stocks: rejects,
    ordersAfter: rejects,
    register: rejects,
    acquire: rejects,
    tail: notAsked,
    ...methods,
  };
}

function ordersStub(methods: Partial<OrderApi & CopyApi>): OrderApi & CopyApi {
  const rejects = async () => notAsked();
  return {
    trade: rejects,
    order: rejects,
    orders: rejects,
    lead: rejects,
    setLeader: rejects,
    follow: notAsked,
    watch: notAsked,
    readCopy: rejects,
    ...methods,
  };
}

interface Link<Api> {
  readonly client: Api;
  readonly relay: Relay;
  server: RunningServer;
}

async function link<Api extends { close(): void }>(
  service: Service,
  connect: (address: { host: string; port: number }) => Api,
): Promise<Link<Api>> {
  const server = await startServer(anywhere, service);
  const made: Link<Api> = {
    server,
    relay: await startRelay(() => made.server.port),
    get client() {
      return client;
    },
  };
  const client = connect(made.relay.address);
  onTestFinished(async () => {
    client.close();
    await made.relay.close();
    await made.server.stop(0);
  });
  return made;
}

const caller = speakerOf("order-2", silentLogger);
const catalogServer = speakerOf("catalog", silentLogger);
const orderServer = speakerOf("order-3", silentLogger);

const linkCatalog = (methods: Partial<CatalogApi>, timeoutMs = patientMs, server = catalogServer, client = caller) =>
  link(serveCatalog(catalogStub(methods), server), (address) => connectCatalog(address, timeoutMs, client));

const linkOrders = (
  methods: Partial<OrderApi & CopyApi>,
  timeoutMs = patientMs,
  server = orderServer,
  client = caller,
) => link(serveReplica(ordersStub(methods), server), (address) => connectReplica(address, timeoutMs, client));

/** The far end of a stream that a test holds in its hands. */
function streamEnd<Sent, Received>() {
  const opened: StreamHandlers<Received>[] = [];
  const received: Sent[] = [];
  let closes = 0;
  return {
    received,
    get closes() {
      return closes;
    },
    get opened() {
      return opened.length;
    },
    get handlers() {
      const last = opened.at(-1);
      if (!last) throw new Error("no stream was opened");
      return last;
    },
    open: (handlers: StreamHandlers<Received>) => {
      opened.push(handlers);
      return { send: (message: Sent) => void received.push(message), close: () => void (closes += 1) };
    },
  };
}

/** As `toEqual`, but quick for thousands of messages. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!Bun.deepEquals(actual, expected)) expect(actual).toEqual(expected);
}

const everyOutcome: readonly Outcome[] = [
  accepted(1),
  accepted(2, true),
  { status: "rejected", reason: "INVALID_STOCKNAME", replayed: false },
  { status: "rejected", reason: "INSUFFICIENT_QUANTITY", replayed: true },
  { status: "key-reused" },
  { status: "volume-full" },
];

const hello = tailRequestOf("s", "hello", { address: "127.0.0.1:8080" });
const position = positionOf(2, undefined);
const status = statusOf(3, {
  role: "leader",
  term: 4,
  leader: 3,
  lastId: largeId,
  liveFollowers: [1, 2],
  reachesCatalog: false,
});
const largeOrder = orderOf(largeId, { key: longText, type: "restock", priceCents: largeId });

describe("catalog: every method arrives whole, and so does its answer", () => {
  test("apply, with 10,000 trades and as many orders", async () => {
    const asked: unknown[] = [];
    const applied: Applied = {
      answers: [
        traded([...everyOutcome, ...Array.from({ length: many }, (_, index) => accepted(largeId + index))]),
        { refused: new BazaarError("INVALID_REQUEST", "this call alone") },
        traded([]),
      ].map((answer) => ("refused" in answer ? answer : { outcomes: answer.outcomes })),
      orders: batchOf(1, many),
      head: largeId,
    };
    const { client } = await linkCatalog({
      apply: async (request) => {
        asked.push(request);
        return applied;
      },
    });
    const calls = [
      callOf(...tradesOf("k", many, { type: "sell" })),
      { ...callOf(tradeOf("k")), minted: true },
      callOf(),
    ];
    const request = { term: largeId, last: largeOrder, calls };
    expectSame(await client.apply(request), applied);
    expectSame(asked, [request]);
  });

  test("restock, with 10,000 orders", async () => {
    const restocked: Extended = { orders: batchOf(1, many), head: many };
    const { client } = await linkCatalog({
      restock: async ({ term, last, quantity, after }) =>
        term === 7 && quantity === 100 && after === longText && isSameOrder(last, largeOrder) ? restocked : notAsked(),
    });
    expectSame(await client.restock({ last: largeOrder, term: 7, quantity: 100, after: longText }), restocked);
  });

  test("settle", async () => {
    const asked: number[] = [];
    const { client } = await linkCatalog({ settle: async (upTo) => void asked.push(upTo) });
    await client.settle(largeId);
    expect(asked).toEqual([largeId]);
  });

  test("lookup, with 10,000 names, some of them unknown, in the order in which they were asked", async () => {
    const stocks = new Map<string, Stock>();
    for (let index = 0; index < many; index += 2) {
      stocks.set(`stock ${index}`, stockOf(`stock ${index}`, { rev: largeId, quantity: index }));
    }
    const { client } = await linkCatalog({
      lookup: async (names) => ({ stocks: names.map((name) => stocks.get(name)), life: longText }),
    });
    const names = Array.from({ length: many }, (_, index) => `stock ${many - 1 - index}`);
    const found = names.map((name) => stocks.get(name));
    expectSame(await client.lookup(names), { stocks: found, life: longText });
    const { stocks: asked } = await client.lookup(["__proto__", longText, "stock 2", "stock 2"]);
    expect(asked).toEqual([undefined, undefined, stocks.get("stock 2"), stocks.get("stock 2")]);
  });

  test("stocks, 10,000 of them", async () => {
    const stocks = Array.from({ length: many }, (_, index) => stockOf(`stock ${index}`));
    const asked: unknown[] = [];
    const { client } = await linkCatalog({
      stocks: async (...request) => {
        asked.push(request);
        return { stocks, life: longText, more: true };
      },
    });
    const request = { start: longText, inclusive: true, limit: many };
    const seen = { life: "life", head: largeId };
    expectSame(await client.stocks(request, seen), { stocks, life: longText, more: true });
    expectSame(asked, [[request, seen]]);
  });

  test("ordersAfter, 10,000 of them", async () => {
    const { client } = await linkCatalog({
      ordersAfter: async (afterId, limit) => ordersOf(afterId + 1, afterId + limit),
    });
    expectSame(await client.ordersAfter(5, many), ordersOf(6, many + 5));
    expect(await client.ordersAfter(0, 0)).toEqual([]);
  });

  test("ordersAfter, 5,000 of the largest, which a new leader reads at once", async () => {
    const [name, key] = ["漢".repeat(255), "k".repeat(255)];
    const orders = ordersOf(1, 5000).map((order) => ({ ...order, name, key }));
    const { client } = await linkCatalog({ ordersAfter: async () => orders });
    expectSame(await client.ordersAfter(0, 5000), orders);
  });

  test("the largest page of each list, of rows that could not be longer", async () => {
    const name = "漢".repeat(255);
    const orders = (count: number) =>
      ordersOf(largeId - count, largeId)
        .slice(0, count)
        .map((order) => ({
          ...order,
          name,
          key: `restock ${order.id} ${name}`,
          type: "restock" as const,
          quantity: 2_147_483_647,
          priceCents: 99_999_999_999,
          term: largeId,
        }));
    const stocks = Array.from({ length: stocksPageMax }, () =>
      stockOf(name, { priceCents: 99_999_999_999, quantity: largeId, volume: largeId, rev: largeId }),
    );
    const restocked: Extended = { orders: new OrderBatch(orders(restockPageMax)), head: largeId };
    const read = orders(ordersPageMax);
    const copy = await linkOrders({ readCopy: async () => ({ orders: read, lastId: largeId, isWhole: false }) });
    expectSame(await copy.client.readCopy(0, ordersPageMax), { orders: read, lastId: largeId, isWhole: false });
    const { client } = await linkCatalog({
      stocks: async () => ({ stocks, life: "life", more: true }),
      restock: async () => restocked,
      ordersAfter: async () => read,
    });
    expectSame((await client.stocks(allStocks)).stocks, stocks);
    expectSame(await client.restock({ last: undefined, term: 1, quantity: 1, after: name }), restocked);
    expectSame(await client.ordersAfter(0, ordersPageMax), read);
  });

  test("register and acquire", async () => {
    const asked: unknown[] = [];
    const register = { term: 4, leader: 3, head: largeId, life: longText, stocks: largeId };
    const { client } = await linkCatalog({
      register: async (...given) => {
        asked.push(given);
        return register;
      },
      acquire: async (request) => {
        asked.push(request);
        return register;
      },
    });
    const seen = { life: longText, head: largeId };
    const request = { replica: 3, term: 3, last: largeOrder };
    expect(await client.register()).toEqual(register);
    expect(await client.register(seen)).toEqual(register);
    expect(await client.register(undefined, largeOrder)).toEqual(register);
    expect(await client.acquire(request)).toEqual(register);
    expect(await client.acquire({ ...request, last: undefined })).toEqual(register);
    expect(asked).toEqual([
      [undefined, undefined],
      [seen, undefined],
      [undefined, largeOrder],
      request,
      { ...request, last: undefined },
    ]);
  });

  test("tail, with all kinds of messages, and thousands of changes in one", async () => {
    const far = streamEnd<TailRequest, TailReply>();
    const { client } = await linkCatalog({ tail: far.open });
    const near = recorder<TailReply>();
    const stream = client.tail(near);
    const requests: TailRequest[] = [
      { ...hello, replaces: longText, dialect: longText, seen: { life: longText, head: largeId }, leaseMs: 60_000 },
      hello,
      tailRequestOf(longText, "renew", { acked: largeId, sequence: 1 }),
      tailRequestOf("s", "ack", { acked: 5, sequence: 1 }),
      tailRequestOf("s", "goodbye", { acked: 5, sequence: 1 }),
    ];
    for (const request of requests) stream.send(request);
    await eventually("five requests", () => far.received.length === 5, patient);
    expect(far.received).toEqual(requests);

    const changes = Array.from({ length: many }, (_, index) => stockOf(`stock ${index}`, { rev: largeId }));
    const replies: TailReply[] = [
      tailReplyOf(0, 4, { life: longText, frontEnds: [{ address: longText, live: true, dialect: longText }] }),
      tailReplyOf(-1, largeId, { changes, previousHead: largeId - 1, alone: true }),
    ];
    for (const reply of replies) far.handlers.message(reply);
    await eventually("two replies", () => near.messages.length === 2, patient);
    expectSame(near.messages, replies);
  });
});

describe("orders: every method arrives whole, and so does its answer", () => {
  test("trade, with 10,000 trades and every kind of outcome", async () => {
    const asked: unknown[] = [];
    const outcomes = [...everyOutcome, ...Array.from({ length: many }, (_, index) => accepted(largeId + index))];
    const { client } = await linkOrders({
      trade: async (request) => {
        asked.push(request);
        return traded(outcomes, largeId + many);
      },
    });
    const requests = [true, false].map((flag) => ({
      ...callOf(...tradesOf("k", many)),
      minted: !flag,
      callerSettles: flag,
    }));
    for (const request of requests) expectSame(await client.trade(request), traded(outcomes, largeId + many));
    expectSame(asked, requests);
  });

  test("many calls on one link are answered to those who asked, in whatever order the answers come", async () => {
    const waiting: (() => void)[] = [];
    const { client } = await linkOrders({
      trade: ({ trades }) =>
        new Promise((resolve) => {
          const [trade] = unpackTrades(trades);
          waiting.push(() => resolve(traded([accepted(Number(trade?.key.slice(2)))])));
        }),
    });
    const calls = Array.from({ length: 200 }, (_, index) => client.trade(asking(tradeOf(`k-${index + 1}`))));
    await eventually("all calls are there", () => waiting.length === 200, patient);
    for (const answer of waiting.toReversed()) answer();
    expect(await Promise.all(calls)).toEqual(calls.map((_, index) => traded([accepted(index + 1)])));
  });

  test("order, a large one and none", async () => {
    const large = orderOf(7, { name: longText, type: "restock" });
    const { client } = await linkOrders({ order: async (id) => (id === 7 ? large : undefined) });
    expect(await client.order(7)).toEqual(large);
    expect(await client.order(8)).toBeUndefined();
  });

  test("orders, 10,000 of them", async () => {
    const { client } = await linkOrders({
      orders: async ({ before, limit }) => ordersOf(before - limit, before - 1).toReversed(),
    });
    expectSame(await client.orders({ before: many + 1, limit: many }), ordersOf(1, many).toReversed());
  });

  test("lead and setLeader", async () => {
    const hints: unknown[] = [];
    const { client } = await linkOrders({
      lead: async (afterTerm) => ({ term: afterTerm + 1 }),
      setLeader: async (hint) => void hints.push(hint),
    });
    expect(await client.lead(largeId)).toEqual({ term: largeId + 1 });
    await client.setLeader({ term: 5, leader: 3 });
    expect(hints).toMatchObject([{ term: 5, leader: 3 }]);
  });

  test("follow, with chunks of more than 1 MiB in a row, and acknowledgements of more than 64 KiB", async () => {
    const far = streamEnd<FollowRequest, FollowReply>();
    const { client } = await linkOrders({ follow: far.open });
    const near = recorder<FollowReply>();
    const stream = client.follow(near);
    const requests = [position, positionOf(2, largeOrder), acknowledgementOf(2, largeId)];
    for (const request of requests) stream.send(request);
    await eventually("three requests", () => far.received.length === 3, patient);
    expect(far.received).toEqual(requests);

    const chunks = Array.from({ length: 5 }, (_, index) => ({
      term: 4,
      tailId: largeId,
      orders: batchOf(index * 2 * many + 1, (index + 1) * 2 * many),
    }));
    for (const chunk of chunks) far.handlers.message(chunk);
    far.handlers.message({ term: 4, tailId: largeId, orders: OrderBatch.empty });
    await eventually("all chunks", () => near.messages.length === 6, patient);
    expectSame(near.messages, [...chunks, { term: 4, tailId: largeId, orders: OrderBatch.empty }]);
  });

  test("watch, with the status of every role, and one of more than 64 KiB", async () => {
    const far = streamEnd<never, ReplicaStatus>();
    const { client } = await linkOrders({ watch: far.open });
    const near = recorder<ReplicaStatus>();
    client.watch(near);
    await eventually("the stream is open", () => far.opened === 1, patient);
    const statuses: ReplicaStatus[] = [
      { ...status, role: "follower" },
      { ...status, role: "taking-over" },
      status,
      { ...status, liveFollowers: Array.from({ length: 4 * many }, (_, index) => index) },
      { ...status, term: 5 },
    ];
    for (const [index, said] of statuses.entries()) {
      far.handlers.message(said);
      await eventually(`status ${index}`, () => near.messages.length === index + 1, patient);
    }
    expectSame(near.messages, statuses);
  });

  test("watch, where what the caller is too slow to read is left out, and what is said later isn't", async () => {
    const far = streamEnd<never, ReplicaStatus>();
    const { client } = await linkOrders({ watch: far.open });
    const near = recorder<ReplicaStatus>();
    client.watch(near);
    await eventually("the stream is open", () => far.opened === 1, patient);
    const large = { ...status, liveFollowers: Array.from({ length: many }, (_, index) => index) };
    for (let times = 0; times < 100; times += 1) far.handlers.message(large);
    const later = () => {
      far.handlers.message({ ...status, term: 5 });
      return near.messages.at(-1)?.term === 5;
    };
    await eventually("what is said later is heard", later, patient);
    expect(near.messages.filter(({ term }) => term === status.term).length).toBeLessThan(50);
  });
});

describe("errors", () => {
  test.each(errorCodes)(
    "%s is the same on the other side, on a stream of calls and on a call of its own",
    async (code) => {
      const text = `order "7"\nfehlt: 🦊 100 %`;
      const rejects = async () => {
        throw new BazaarError(code, text);
      };
      const { client } = await linkCatalog({ apply: rejects, register: rejects });
      for (const call of [client.apply({ last: undefined, term: 1, calls: [callOf()] }), client.register()]) {
        await expect(call).rejects.toMatchObject({ name: "BazaarError", code, message: text });
      }
    },
  );

  test("and at the end of a stream", async () => {
    const { client } = await linkOrders({
      follow: (handlers) => ({
        send: () => handlers.ended(new BazaarError("DIVERGED", "another order 7")),
        close() {},
      }),
    });
    const near = recorder<FollowReply>();
    client.follow(near).send(position);
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect(near.ends).toEqual(["DIVERGED"]);
  });

  test("a failure that nobody expected is INTERNAL_ERROR", async () => {
    const { client } = await linkCatalog({ register: () => Promise.reject(new TypeError("a bug")) });
    expect(await rejectionCode(client.register())).toBe("INTERNAL_ERROR");
  });

  test("a last order that makes no sense differs from every other, and harms nobody", async () => {
    const far = streamEnd<FollowRequest, FollowReply>();
    const { client } = await linkOrders({ follow: far.open });
    const senseless = { ...orderOf(1), type: "borrow" } as unknown as Order;
    client.follow(recorder<FollowReply>()).send(positionOf(2, senseless));
    await eventually("the request has come", () => far.received.length === 1, patient);
    expect(far.received).toEqual([positionOf(2, senseless)]);
  });

  test.each([
    { name: "that is no order", senseless: { ...orderOf(1), id: "1" } },
    { name: "without an id", senseless: { key: "k" } },
  ])("a last order $name is refused, on a call and on a stream, and harms nobody", async ({ senseless }) => {
    const last = senseless as unknown as Order;
    const { client: catalog } = await linkCatalog({});
    expect(await rejectionCode(catalog.register(undefined, last))).toBe("INVALID_REQUEST");
    expect(await rejectionCode(catalog.apply({ term: 1, last, calls: [callOf()] }))).toBe("INVALID_REQUEST");

    const far = streamEnd<FollowRequest, FollowReply>();
    const { client } = await linkOrders({ follow: far.open });
    const near = recorder<FollowReply>();
    const stream = client.follow(near);
    for (let times = 0; times < 2; times += 1) stream.send(positionOf(2, last));
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect([near.ends, far.received, far.closes]).toEqual([["INVALID_REQUEST"], [], 1]);
    client.follow(recorder<FollowReply>()).send(position);
    await eventually("another stream is served", () => far.received.length === 1, patient);
  });

  test("an order that makes no sense is refused by the client, in an answer and on a stream", async () => {
    const gift = { ...orderOf(1), type: "gift" } as unknown as Order;
    const far = streamEnd<FollowRequest, FollowReply>();
    const { client } = await linkOrders({ order: async () => gift, orders: async () => [gift], follow: far.open });
    expect(await rejectionCode(client.order(1))).toBe("INVALID_REQUEST");
    expect(await rejectionCode(client.orders({ before: 0, limit: 1 }))).toBe("INVALID_REQUEST");

    const near = recorder<FollowReply>();
    client.follow(near).send(position);
    await eventually("the stream is open", () => far.received.length === 1, patient);
    for (let times = 0; times < 2; times += 1)
      far.handlers.message({ term: 1, tailId: 1, orders: new OrderBatch([gift]) });
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect([near.messages, near.ends]).toEqual([[], ["INVALID_REQUEST"]]);
    await eventually("the server knows", () => far.closes > 0, patient);
  });
});

describe("deadlines and faults (R10)", () => {
  const never = () => new Promise<never>(() => {});

  test("no answer in time is UNAVAILABLE, on a stream of calls and on a call of its own", async () => {
    const { client } = await linkCatalog({ apply: never, register: never }, 50);
    expect(await rejectionCode(client.apply({ last: undefined, term: 1, calls: [callOf()] }))).toBe("UNAVAILABLE");
    expect(await rejectionCode(client.register())).toBe("UNAVAILABLE");
  });

  test("a wall clock that is set forward ends no call", async () => {
    const register = { term: 1, leader: 1, head: 1, life: "life", stocks: 1 };
    const { client } = await linkCatalog({ register: async () => register });
    const realNow = Date.now;
    let looks = 0;
    // Right by the first look, an hour fast by every later one.
    Date.now = () => realNow() + (looks++ === 0 ? 0 : 3_600_000);
    try {
      expect(await client.register()).toEqual(register);
    } finally {
      Date.now = realNow;
    }
  });

  test("an answer that comes after the deadline is given to nobody, and the next call works", async () => {
    let late = (_: Traded) => {};
    let calls = 0;
    const { client } = await linkOrders(
      {
        trade: async () => {
          calls += 1;
          return calls === 1 ? new Promise<Traded>((resolve) => (late = resolve)) : traded([accepted(calls)]);
        },
      },
      deadlineMs,
    );
    expect(await rejectionCode(client.trade(asking(tradeOf("a"))))).toBe("UNAVAILABLE");
    late(traded([accepted(1)]));
    expect(await client.trade(asking(tradeOf("b")))).toEqual(traded([accepted(2)]));
  });

  test("a call that is given up is UNAVAILABLE at once", async () => {
    const { client } = await linkOrders({ trade: never, lead: never });
    const given = new AbortController();
    const calls = [client.trade(asking(tradeOf("a")), given.signal), client.lead(1, given.signal)].map(rejectionCode);
    const abortMs = performance.now();
    given.abort();
    expect(await Promise.all(calls)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    // Not by the deadline.
    expect(performance.now() - abortMs).toBeLessThan(quickMs);
    expect(await rejectionCode(client.trade(asking(tradeOf("a")), given.signal))).toBe("UNAVAILABLE");
    expect(await rejectionCode(client.lead(1, given.signal))).toBe("UNAVAILABLE");
  });

  test("a call that was answered leaves nothing behind on the signal that could have ended it", async () => {
    const { client } = await linkOrders({ trade: async () => traded([accepted(1)]), lead: async () => ({ term: 2 }) });
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    // A leader's signal lives as long as the leader, through millions of calls.
    signal.addEventListener = (...listener: Parameters<typeof add>) => ((listeners += 1), add(...listener));
    signal.removeEventListener = (...listener: Parameters<typeof remove>) => ((listeners -= 1), remove(...listener));
    await client.trade(asking(tradeOf("a")), signal);
    expect(listeners).toBe(0);
    await client.lead(1, signal);
    expect(listeners).toBe(0);
  });

  test("a call without an answer in time ends none of those beside it, while the server answers others", async () => {
    let release = () => {};
    const { client } = await linkOrders(
      {
        trade: async ({ trades }) => {
          const [trade] = unpackTrades(trades);
          if (trade?.key === "never") return new Promise<never>(() => {});
          if (trade?.key === "slow") await new Promise<void>((resolve) => (release = resolve));
          return traded([accepted(1)]);
        },
      },
      deadlineMs,
    );
    const askedMs = performance.now();
    const late = rejectionCode(client.trade(asking(tradeOf("never"))));
    await client.trade(asking(tradeOf("quick")));
    await eventually("its time is half over", () => performance.now() > askedMs + deadlineMs / 2, patient);
    const beside = client.trade(asking(tradeOf("slow")));
    expect(await late).toBe("UNAVAILABLE");
    release();
    expect(await beside).toEqual(traded([accepted(1)]));
  });

  test("a frozen server is noticed by the deadline", async () => {
    const register = { term: 1, leader: 1, head: 1, life: "life", stocks: 1 };
    const { client, relay } = await linkCatalog(
      {
        register: async () => register,
        lookup: async (names) => ({ stocks: names.map(() => undefined), life: "life" }),
      },
      deadlineMs,
    );
    await client.register();
    await client.lookup(["a"]);
    relay.cut("silent");
    const calls = [client.register(), client.lookup(["a"])].map(rejectionCode);
    expect(await Promise.all(calls)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
  });

  test("a connection that died without a word is given up and made again, though nothing is sent on it", async () => {
    const watch = streamEnd<never, ReplicaStatus>();
    const { client, relay } = await linkOrders({ watch: watch.open });
    const near = recorder<ReplicaStatus>();
    client.watch(near);
    await eventually("the stream is open", () => watch.opened === 1, patient);
    relay.cut("silent");
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect(near.ends).toEqual(["UNAVAILABLE"]);
    relay.mend();
    client.watch(recorder<ReplicaStatus>());
    await eventually("another stream is open", () => watch.opened === 2, patient);
  });

  test("a request whose sequence no reply could repeat ends its tail", async () => {
    const tail = streamEnd<TailRequest, TailReply>();
    const { client } = await linkCatalog({ tail: tail.open });
    const near = recorder<TailReply>();
    const stream = client.tail(near);
    stream.send({ ...hello, sequence: 2_147_483_647 });
    stream.send({ ...hello, sequence: 2_147_483_648 });
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect(near.ends).toEqual(["INVALID_REQUEST"]);
    expect(tail.received.map(({ sequence }) => sequence)).toEqual([2_147_483_647]);
  });

  test("a killed server fails what is under way at once, and ends the streams", async () => {
    const tail = streamEnd<TailRequest, TailReply>();
    let asked = 0;
    const pending = () => {
      asked += 1;
      return never();
    };
    const { client, relay } = await linkCatalog({ apply: pending, register: pending, tail: tail.open });
    const near = recorder<TailReply>();
    client.tail(near).send(hello);
    const calls = [
      client.apply({ last: undefined, term: 1, calls: [callOf(...tradesOf("k", 1))] }),
      client.register(),
    ].map(rejectionCode);
    await eventually("all is under way", () => asked === 2 && tail.received.length === 1, patient);

    const cutMs = performance.now();
    relay.cut("refused");
    expect(await Promise.all(calls)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
    await eventually("the stream has ended", () => near.ends.length > 0, patient);
    expect(performance.now() - cutMs).toBeLessThan(quickMs);
    expect(near.ends).toEqual(["UNAVAILABLE"]);
    await eventually("the server knows too", () => tail.closes > 0, patient);
  });

  test("without a server, calls and streams fail at once; when it is there again, they work within half a second", async () => {
    const watch = streamEnd<never, ReplicaStatus>();
    const { client, relay } = await linkOrders({
      trade: async () => traded([accepted(1)]),
      order: async () => undefined,
      watch: watch.open,
    });
    expect(await client.trade(asking(tradeOf("k")))).toEqual(traded([accepted(1)]));
    relay.cut("refused");
    await eventually(
      "the connection is lost",
      () =>
        client.order(1).then(
          () => false,
          () => true,
        ),
      patient,
    );

    const near: Recorder<ReplicaStatus> = recorder();
    client.watch(near);
    const failMs = performance.now();
    expect(await rejectionCode(client.trade(asking(tradeOf("k"))))).toBe("UNAVAILABLE");
    expect(await rejectionCode(client.order(1))).toBe("UNAVAILABLE");
    await eventually("the stream has ended", () => near.ends.length === 1, patient);
    expect(performance.now() - failMs).toBeLessThan(quickMs);

    relay.mend();
    const mendMs = performance.now();
    await eventually("trades work", () => client.trade(asking(tradeOf("k"))), patient);
    await eventually("orders work", () => client.order(1).then(() => true), patient);
    expect(performance.now() - mendMs).toBeLessThan(quickMs);
  });

  test("a stream that the client closes ends on the server, and the client hears nothing more", async () => {
    const far = streamEnd<FollowRequest, FollowReply>();
    const { client } = await linkOrders({ follow: far.open });
    const near = recorder<FollowReply>();
    const stream = client.follow(near);
    stream.send(position);
    await eventually("the stream is open", () => far.received.length === 1, patient);
    stream.close();
    await eventually("the server knows", () => far.closes > 0, patient);
    stream.send(position);
    far.handlers.message({ term: 1, tailId: 0, orders: OrderBatch.empty });
    expect([near.messages, near.ends]).toEqual([[], []]);
  });

  test("so does one on which only the server speaks", async () => {
    const far = streamEnd<never, ReplicaStatus>();
    const { client } = await linkOrders({ watch: far.open });
    const near = recorder<ReplicaStatus>();
    const stream = client.watch(near);
    await eventually("the stream is open", () => far.opened === 1, patient);
    stream.close();
    await eventually("the server knows", () => far.closes > 0, patient);
    far.handlers.message(status);
    expect([near.messages, near.ends]).toEqual([[], []]);
  });

  test("a call after the client was closed fails, once", async () => {
    const { client } = await linkCatalog({});
    client.close();
    await expect(client.register()).rejects.toThrow("shut down");
  });

  test("what was sent before a stream is closed arrives: a goodbye gives the lease back", async () => {
    const far = streamEnd<TailRequest, TailReply>();
    const { client } = await linkCatalog({ tail: far.open });
    const stream = client.tail(recorder<TailReply>());
    stream.send(hello);
    await eventually("the stream is open", () => far.received.length === 1, patient);
    stream.send({ ...hello, kind: "goodbye" });
    stream.close();
    await eventually("the server knows", () => far.closes > 0, patient);
    expect(far.received.map(({ kind }) => kind)).toEqual(["hello", "goodbye"]);
  });
});

describe("another version of the messages", () => {
  /** A side that speaks this version, and what it has logged. */
  function speaking(name: string, version: number): Speaker & { readonly lines: string[] } {
    const lines: string[] = [];
    const logger = { error: (line: string) => void lines.push(line) } as Speaker["logger"];
    return { name, version, logger, lines };
  }

  /** Each kind of call to a catalog, and a stream; with the errors with which they end. */
  async function asks(client: CatalogApi): Promise<BazaarError[]> {
    const failed = (call: Promise<unknown>) => call.then(() => notAsked(), BazaarError.from);
    const ended = new Promise<BazaarError>((resolve) => {
      const stream = client.tail({
        message: () => {},
        ended: (error) => resolve(error ?? new BazaarError("INTERNAL_ERROR", "no error")),
      });
      stream.send(hello);
    });
    return Promise.all([
      failed(client.apply({ last: undefined, term: 1, calls: [callOf()] })),
      failed(client.register()),
      ended,
    ]);
  }

  test.each([
    { name: "an older caller", theirs: 3, own: 4 },
    { name: "a newer caller", theirs: 4, own: 3 },
  ])("$name is refused by a catalog, which does nothing, and each side says so once", async ({ theirs, own }) => {
    const catalog = speaking("catalog", own);
    const replica = speaking("order-2", theirs);
    let asked = 0;
    const count = (): never => {
      asked += 1;
      return notAsked();
    };
    const counting = { apply: async () => count(), register: async () => count(), tail: count };
    const { client, relay } = await linkCatalog(counting, patientMs, catalog, replica);
    const { host, port } = relay.address;
    const line =
      `the catalog at ${host}:${port} speaks version ${own} of the messages, ` +
      `but order-2 speaks version ${theirs}: update the older one`;
    for (let times = 0; times < 5; times += 1) {
      for (const error of await asks(client)) {
        expect(error).toBeInstanceOf(OtherVersionError);
        expect(error).toMatchObject({ code: "UNAVAILABLE", message: line });
      }
    }
    expect(asked).toBe(0);
    expect(replica.lines).toEqual([line]);
    expect(catalog.lines).toEqual([
      `order-2 speaks version ${theirs} of the messages, but catalog speaks version ${own}: update the older one`,
    ]);
  });

  test("is logged again when it comes back after the right one, which works", async () => {
    const replica = speaking("order-2", 4);
    const far = streamEnd<never, ReplicaStatus>();
    const made = await linkOrders(
      { watch: far.open, order: async () => undefined },
      patientMs,
      speaking("order-3", 3),
      replica,
    );
    const served = async (version: number) => {
      await made.server.stop(0);
      const service = serveReplica(ordersStub({ order: async () => undefined }), speaking("order-3", version));
      made.server = await startServer(anywhere, service);
    };
    const watched: Recorder<ReplicaStatus> = recorder();
    made.client.watch(watched);
    await eventually("the watch is refused", () => watched.ends.length > 0, patient);
    expect([watched.ends, far.opened, replica.lines.length]).toEqual([["UNAVAILABLE"], 0, 1]);
    await served(4);
    await eventually(
      "it works",
      () =>
        made.client.order(1).then(
          () => true,
          () => false,
        ),
      patient,
    );
    await served(3);
    const isSaidAgain = () =>
      made.client.order(1).then(
        () => false,
        () => replica.lines.length === 2,
      );
    await eventually("it is refused again", isSaidAgain, patient);
    expect(new Set(replica.lines).size).toBe(1);
  });

  test("a server that sends none is refused by its caller: on a call, a stream of calls and a stream", async () => {
    const register = { term: 1, leader: 1, head: 1, life: "life", stocks: 1, obstacle: "" };
    const far = streamEnd<never, object>();
    const calls = new CallStreams();
    const older: Service = {
      definition: CatalogService,
      implementation: {
        getRegister: serveUnary(async () => register),
        apply: calls.serve(async () => ({ answers: [], orders: "", head: 1 }), { answers: [], orders: "", head: 0 }),
        tail: serveDuplex(
          (handlers) => {
            handlers.message({});
            return far.open(handlers);
          },
          () => hello as never,
          () => ({ ...tailReplyOf(0, 1), changes: [], frontEnds: [] }),
        ),
      },
      drain: () => calls.drain(),
    };
    const self = speaking("order-2", 3);
    const { client, relay } = await link(older, (address) => connectCatalog(address, patientMs, self));
    const { host, port } = relay.address;
    const line = `the catalog at ${host}:${port} sends no version of the messages, but order-2 speaks version 3: update the older one`;
    for (const error of await asks(client)) expect(error).toMatchObject({ code: "UNAVAILABLE", message: line });
    expect(self.lines).toEqual([line]);
    await eventually("the server's stream has ended", () => far.closes > 0, patient);
  });

  test("a caller that sends none is refused, with the header that a tool must send", async () => {
    const catalog = speaking("catalog", 3);
    const server = await startServer(anywhere, serveCatalog(catalogStub({}), catalog));
    const client = createClient({ host: "127.0.0.1", port: server.port });
    onTestFinished(async () => {
      client.close();
      await server.stop(0);
    });
    const request = { seen: undefined, last: "" };
    const line =
      "a client at 127.0.0.1 sends no version of the messages, but catalog speaks version 3: update the older one";
    for (let times = 0; times < 2; times += 1) {
      await expect(callUnary(client, CatalogService.getRegister, request, patientMs)).rejects.toMatchObject({
        code: "UNAVAILABLE",
        message: `${line} (grpcurl: -H 'bazaar-messages: 3')`,
      });
    }
    expect(catalog.lines).toEqual([line]);
  });

  test("two callers of one name, one of them refused: the server logs it once, however they alternate", async () => {
    const catalog = speaking("catalog", 3);
    const register = { term: 1, leader: 1, head: 1, life: "life", stocks: 1 };
    const service = serveCatalog(catalogStub({ register: async () => register }), catalog);
    const older = await link(service, (address) => connectCatalog(address, patientMs, speaking("front-end", 2)));
    const { client: same } = await link(service, (address) =>
      connectCatalog(address, patientMs, speaking("front-end", 3)),
    );
    for (let times = 0; times < 3; times += 1) {
      await expect(older.client.register()).rejects.toBeInstanceOf(OtherVersionError);
      await same.register();
    }
    expect(catalog.lines).toEqual([
      "front-end speaks version 2 of the messages, but catalog speaks version 3: update the older one",
    ]);
  });

  test("a method that the server doesn't have is an error of another kind", async () => {
    const self = speaking("order-2", 3);
    const server = await startServer(anywhere, serveCatalog(catalogStub({}), speaking("catalog", 3)));
    const client = createClient({ host: "127.0.0.1", port: server.port }, new CallerHandshake(self, "the catalog"));
    onTestFinished(async () => {
      client.close();
      await server.stop(0);
    });
    const method = { ...CatalogService.getRegister, path: "/bazaar.v1.Catalog/Nothing" };
    expect(await rejectionCode(callUnary(client, method, { seen: undefined, last: "" }, patientMs))).toBe(
      "INTERNAL_ERROR",
    );
    expect(self.lines).toEqual([]);
  });

  test("strangers fill neither the memory nor the log of a server", async () => {
    const catalog = speaking("catalog", 3);
    const server = await startServer(anywhere, serveCatalog(catalogStub({}), catalog));
    const address = { host: "127.0.0.1", port: server.port };
    onTestFinished(() => server.stop(0));
    for (let index = 0; index < 120; index += 1) {
      const client = connectCatalog(address, patientMs, speaking(`stranger-${index}`, 4));
      expect(await rejectionCode(client.register())).toBe("UNAVAILABLE");
      client.close();
    }
    expect(catalog.lines.length).toBe(100);
  });
});

describe("a server", () => {
  test("whose port is taken says so", async () => {
    const service = serveCatalog(catalogStub({}), catalogServer);
    const first = await startServer(anywhere, service);
    onTestFinished(() => first.stop(0));
    await expect(startServer({ ...anywhere, port: first.port }, service)).rejects.toThrow(
      `CATALOG_PORT must be a free port (got "${first.port}"): another process listens there (127.0.0.1:${first.port})`,
    );
  });

  test("that stops finishes what it has taken in, and then takes nothing", async () => {
    let answer: ((reply: Traded) => void) | undefined;
    const { client, server } = await linkOrders({ trade: () => new Promise((resolve) => (answer = resolve)) });
    const call = client.trade(asking(tradeOf("k")));
    const taken = await eventually("the call is there", () => answer, patient);
    const stopped = server.stop(patientMs);
    taken(traded([accepted(1)]));
    expect(await call).toEqual(traded([accepted(1)]));
    await stopped;
    expect(await rejectionCode(client.trade(asking(tradeOf("k"))))).toBe("UNAVAILABLE");
  });

  test("that stops ends its streams after the grace", async () => {
    const far = streamEnd<FollowRequest, FollowReply>();
    const { client, server } = await linkOrders({ follow: far.open });
    const near = recorder<FollowReply>();
    client.follow(near).send(position);
    await eventually("the stream is open", () => far.received.length === 1, patient);
    await server.stop(20);
    await eventually("the stream has ended", () => near.ends.length === 1, patient);
    expect(near.ends).toEqual(["UNAVAILABLE"]);
  });

  test.each([
    ["bazaar.v1.Catalog", serveCatalog(catalogStub({}), catalogServer)],
    ["bazaar.v1.Orders", serveReplica(ordersStub({}), orderServer)],
  ])("answers health and reflection beside %s", async (name, service) => {
    const server = await startServer(anywhere, service);
    const client = createClient({ host: "127.0.0.1", port: server.port });
    onTestFinished(async () => {
      client.close();
      await server.stop(0);
    });
    const bytes = (message: Buffer) => message;
    const nameBytes = Buffer.from(name);
    for (const request of [Buffer.alloc(0), Buffer.from([0x0a, nameBytes.length, ...nameBytes])]) {
      const health = await new Promise<Buffer | undefined>((resolve, reject) => {
        client.makeUnaryRequest("/grpc.health.v1.Health/Check", bytes, bytes, request, (error, reply) =>
          error ? reject(error) : resolve(reply),
        );
      });
      // Field 1, SERVING.
      expect([...(health ?? [])]).toEqual([0x08, 0x01]);
    }

    const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    const reflection = client.makeBidiStreamRequest(path, bytes, bytes);
    const services = await new Promise<string>((resolve, reject) => {
      reflection.on("data", (reply: Buffer) => resolve(reply.toString("latin1")));
      reflection.on("error", reject);
      // Field 7: the list of services.
      reflection.write(Buffer.from([0x3a, 0x00]));
    });
    reflection.end();
    expect(services).toContain(name);
  });
});

describe("a host may be a name", () => {
  const serveOn = async (host: string, port = 0) => {
    const service = serveReplica(ordersStub({ order: async (id) => orderOf(id) }), orderServer);
    const server = await startServer({ ...anywhere, host, port }, service);
    onTestFinished(() => server.stop(0));
    return server;
  };
  const dial = (host: string, port: number) => {
    const client = connectReplica({ host, port }, quickMs, caller);
    onTestFinished(() => client.close());
    return client;
  };
  const answers = (client: Pick<OrderApi, "order">) => client.order(1).then(Boolean, () => false);

  test("to listen on and to dial", async () => {
    const { port } = await serveOn("localhost");
    expect(await dial("localhost", port).order(1)).toEqual(orderOf(1));
    expect(await answers(dial("127.0.0.1", port))).toBe(true);
  });

  test("and one that nobody knows is named when nothing can listen on it", async () => {
    vi.spyOn(dns, "lookup").mockRejectedValue(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }));
    await expect(serveOn("nowhere.test")).rejects.toThrow(
      'CATALOG_HOST must be a name or an address of this machine, like 127.0.0.1 (got "nowhere.test")',
    );
  });

  // Other systems give the loopback interface one address.
  test.skipIf(process.platform !== "linux")(
    "whose service comes back with another IP address: it is found there",
    async () => {
      let address = "127.0.0.1";
      vi.spyOn(dns, "lookup").mockImplementation((async () => [
        { address, family: 4 },
      ]) as unknown as typeof dns.lookup);
      const first = await serveOn("127.0.0.1");
      const client = dial("order-1.test", first.port);
      expect(await client.order(1)).toEqual(orderOf(1));
      await first.stop(0);
      expect(await answers(client)).toBe(false);
      await serveOn("127.0.0.2", first.port);
      address = "127.0.0.2";
      await eventually("the other address is dialled", () => answers(client), { timeoutMs: 5000 });
    },
  );
});
