import type { StocksRequest } from "@stock-bazaar/shared/api";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { allStocks, orderOf, ordersOf, stockOf } from "../../../test/support/builders.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { ClusterState } from "../bazaar.ts";
import { EventFeed } from "./event-feed.ts";

interface ReceivedEvent {
  readonly event: string;
  readonly id: number | undefined;
  readonly data: unknown;
}

/** A bazaar with a state that the test sets. It counts its calls. */
function setUp() {
  const clock = new ManualClock();
  const state = {
    head: 0 as number | undefined,
    leader: 3,
    orders: [] as Order[],
    stocks: [stockOf("GameStart")],
    life: "life",
  };
  const asked = { cluster: 0, stocks: 0, named: [] as (readonly string[])[], ordersLimit: 0 };
  const read = { stocks: (): Promise<Stock[]> => Promise.resolve(state.stocks) };
  const feed = new EventFeed({
    clock,
    faults: false,
    takeTradeTimes: () => new Float64Array(),
    bazaar: {
      cluster: async (): Promise<ClusterState> => {
        asked.cluster += 1;
        return {
          leader: state.leader,
          term: 1,
          replicas: [],
          catalog: { state: state.head === undefined ? "away" : "live", head: state.head, stocks: state.stocks.length },
          cache: { capacity: 0, size: 0, hits: 0, misses: 0, leased: false },
          frontEnds: [],
        };
      },
      orders: async ({ limit }) => {
        asked.ordersLimit = limit;
        return state.orders.toReversed().slice(0, limit);
      },
      stocks: async ({ start, inclusive, limit }) => {
        asked.stocks += 1;
        const all = (await read.stocks()).filter(({ name }) => (inclusive ? name >= start : name > start));
        return { stocks: all.slice(0, limit), life: state.life, more: all.length > limit };
      },
      stocksNamed: async (names) => {
        asked.named.push(names);
        return state.stocks.filter(({ name }) => names.includes(name));
      },
    },
  });
  /** Makes the ledger grow to `id`; all orders are of GameStart. */
  const grow = (id: number) => {
    state.head = id;
    state.orders = ordersOf(1, id);
    state.stocks = [stockOf("GameStart", { rev: id, quantity: 1000 - id })];
  };
  const listen = (afterId?: number, page: Partial<StocksRequest> = {}) => {
    const received: ReceivedEvent[] = [];
    let ended = false;
    const send = (text: string) => received.push(...parse(text));
    const leave = feed.listen({ send, end: () => void (ended = true) }, { afterId, stocks: { ...allStocks, ...page } });
    const of = (event: string) => received.filter((entry) => entry.event === event);
    return {
      received,
      of,
      leave,
      isEnded: () => ended,
      pages: () =>
        of("stocks").map(({ data }) => {
          const { complete, stocks, next } = data as { complete: boolean; stocks: { name: string }[]; next?: string };
          return [complete, stocks.map(({ name }) => name).join(), next];
        }),
      numbers: () => of("orders").flatMap((orders) => numbersIn(orders).toReversed()),
    };
  };
  return { clock, state, asked, read, feed, grow, listen };
}

function parse(text: string): ReceivedEvent[] {
  return text
    .split("\n\n")
    .filter((part) => part !== "")
    .map((part) => ({
      event: /^event: (.*)$/m.exec(part)?.[1] ?? "",
      id: Number(/^id: (.*)$/m.exec(part)?.[1] ?? Number.NaN) || undefined,
      data: JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? "null"),
    }));
}

function samplesIn(events: readonly ReceivedEvent[]): unknown[] {
  return events.flatMap(({ data }) => (data as { samples: unknown[] }).samples);
}

function numbersIn({ data }: ReceivedEvent): number[] {
  return (data as { orders: { number: number }[] }).orders.map(({ number }) => number);
}

test("without listeners, the bazaar isn't called and no timer is set", async () => {
  const { clock, asked, listen } = setUp();
  await clock.advance(10_000);
  expect(asked.cluster).toBe(0);
  const [first, second] = [listen(), listen()];
  await clock.advance(1000);
  expect(asked.cluster).toBe(6);
  first.leave();
  second.leave();
  await clock.advance(1000);
  expect(clock.timers).toBe(0);
  expect(asked.cluster).toBeLessThanOrEqual(7);
});

test("after `start`, the traffic is sampled even without listeners, and the stocks aren't read", async () => {
  const { clock, asked, feed, listen } = setUp();
  feed.start();
  await clock.advance(10_000);
  expect(asked).toMatchObject({ cluster: 11, stocks: 0 });
  const { of } = listen();
  expect(samplesIn(of("history"))).toHaveLength(10);
  feed.stop();
  expect(clock.timers).toBe(0);
});

test("the samples of the last five minutes are kept", async () => {
  const { clock, feed, listen } = setUp();
  feed.start();
  await clock.advance(400_000);
  expect(samplesIn(listen().of("history"))).toHaveLength(300);
});

test("an order that isn't settled yet is not sent, nor is one after it", async () => {
  const { clock, state, listen, grow } = setUp();
  grow(2);
  const { numbers } = listen();
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2]);
  // The leader has stored 3 and 4, the catalog has settled 3.
  state.head = 4;
  state.orders = ordersOf(1, 4);
  state.stocks = [stockOf("GameStart", { rev: 3 })];
  await clock.advance(1000);
  expect(numbers()).toEqual([1, 2, 3]);
  state.stocks = [stockOf("GameStart", { rev: 4 })];
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2, 3, 4]);
});

test("a leader that is behind the catalog is asked again until it has the rest", async () => {
  const { clock, state, listen, grow } = setUp();
  grow(5);
  state.orders = ordersOf(1, 3);
  const { numbers, of } = listen();
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2, 3]);
  state.orders = ordersOf(1, 5);
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2, 3, 4, 5]);
  expect(of("orders").map(({ id, data }) => [id, (data as { skipped: number }).skipped])).toEqual([
    [3, 0],
    [5, 0],
  ]);
});

test("a new leader with fewer orders than were sent causes no order to be sent twice", async () => {
  const { clock, state, listen, grow } = setUp();
  grow(5);
  const { numbers } = listen();
  await clock.advance(200);
  grow(6);
  state.orders = ordersOf(1, 3);
  await clock.advance(200);
  state.orders = ordersOf(1, 6);
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 6]);
});

test("nothing is read again while nothing changes", async () => {
  const { clock, asked, listen, grow } = setUp();
  grow(5);
  listen();
  await clock.advance(5000);
  expect(asked.stocks).toBe(1);
});

test("of too many new orders, only the newest are sent, and the others are counted as skipped", async () => {
  const { clock, listen, grow } = setUp();
  grow(10);
  const { of } = listen();
  await clock.advance(200);
  grow(1010);
  await clock.advance(200);
  const [, orders] = of("orders");
  expect(orders?.id).toBe(1010);
  expect(orders?.data).toMatchObject({ skipped: 950 });
  expect(numbersIn(orders as ReceivedEvent)).toHaveLength(50);
});

test("a listener that reconnects gets up to 200 orders, while a new one gets 50", async () => {
  const { clock, asked, listen, grow } = setUp();
  grow(1000);
  const [returned, long, newcomer] = [listen(850), listen(100), listen()];
  await clock.advance(200);
  expect(returned.of("orders").map(({ data }) => data)).toMatchObject([{ skipped: 0 }]);
  expect(returned.numbers()).toHaveLength(150);
  expect(long.of("orders").map(({ data }) => data)).toMatchObject([{ skipped: 700 }]);
  expect(long.numbers()).toHaveLength(200);
  expect(newcomer.of("orders").map(({ data }) => data)).toMatchObject([{ skipped: 0 }]);
  expect(newcomer.numbers()).toHaveLength(50);
  expect(asked.stocks).toBe(1);
});

test("only changed stocks are sent again, or all of them if the catalog has other stocks", async () => {
  const { clock, state, listen, grow } = setUp();
  grow(1);
  state.stocks = [stockOf("FishCo"), stockOf("GameStart", { rev: 1 })];
  const { of } = listen();
  await clock.advance(200);
  state.head = 2;
  state.orders = ordersOf(1, 2);
  state.stocks = [stockOf("FishCo", { rev: 2, quantity: 7 }), stockOf("GameStart", { rev: 1 })];
  await clock.advance(200);
  state.head = 1;
  state.orders = ordersOf(1, 1);
  state.stocks = [stockOf("BoarCo", { rev: 1 })];
  await clock.advance(200);
  const named = of("stocks").map(({ data }) => {
    const { complete, stocks } = data as { complete: boolean; stocks: { name: string }[] };
    return [complete, stocks.map(({ name }) => name).join()];
  });
  expect(named).toEqual([
    [true, "FishCo,GameStart"],
    [false, "FishCo"],
    [true, "BoarCo"],
  ]);
});

test("while the catalog is away, the cluster's state is still sent, and nothing is read", async () => {
  const { clock, state, asked, listen, grow } = setUp();
  grow(1);
  state.head = undefined;
  const { of } = listen();
  await clock.advance(1000);
  expect(of("cluster")).toHaveLength(1);
  expect(asked.stocks).toBe(0);
  grow(1);
  await clock.advance(200);
  expect(of("stocks")).toHaveLength(1);
});

test("a read that hangs doesn't delay the cluster's state, and no second read runs beside it", async () => {
  const { clock, state, asked, read, listen, grow } = setUp();
  grow(1);
  const answer = Promise.withResolvers<Stock[]>();
  read.stocks = () => answer.promise;
  const { of } = listen();
  await clock.advance(400);
  state.leader = 2;
  await clock.advance(400);
  expect(of("cluster").map(({ data }) => (data as { leader: number }).leader)).toEqual([3, 2]);
  expect(asked.stocks).toBe(1);
  answer.reject(new BazaarError("UNAVAILABLE", "no answer in time"));
  read.stocks = () => Promise.resolve(state.stocks);
  // The read took long, so the pause is long too.
  await clock.advance(5000);
  expect(of("stocks")).toHaveLength(1);
});

test("a slow read is followed by a pause four times as long", async () => {
  const { clock, asked, read, listen, state, grow } = setUp();
  grow(1);
  read.stocks = () => new Promise((resolve) => clock.after(300, () => resolve(state.stocks)));
  listen();
  for (let id = 2; id <= 16; id += 1) {
    await clock.advance(200);
    grow(id);
  }
  expect(asked.stocks).toBe(2);
});

test("`stop` ends every stream, and no new listener is accepted", async () => {
  const { clock, feed, listen } = setUp();
  const { isEnded } = listen();
  await clock.advance(200);
  feed.stop();
  expect(isEnded()).toBe(true);
  expect(clock.timers).toBe(0);
  expect(() => listen()).toThrowError(/stopping/);
});

test("a stock that is added is sent at once, even without an order of it", async () => {
  const { clock, state, asked, listen, grow } = setUp();
  grow(1);
  const { pages } = listen();
  await clock.advance(200);
  state.stocks = [stockOf("FishCo"), ...state.stocks];
  await clock.advance(200);
  expect(pages()).toEqual([
    [true, "GameStart", undefined],
    [true, "FishCo,GameStart", undefined],
  ]);
  await clock.advance(5000);
  expect(asked.stocks).toBe(2);
});

test("each listener gets only the stocks of the page that it shows", async () => {
  const { clock, state, asked, listen, grow } = setUp();
  grow(1);
  const others = Array.from({ length: 10 }, (_, index) => stockOf(`Stock${index}`));
  state.stocks = [...state.stocks, ...others];
  const [first, same, later, from] = [
    listen(undefined, { limit: 3 }),
    listen(undefined, { limit: 3 }),
    listen(undefined, { start: "Stock1", limit: 3 }),
    listen(undefined, { start: "Stock8", inclusive: true, limit: 3 }),
  ];
  await clock.advance(200);
  expect(asked.stocks).toBe(3);
  const whole = [true, "GameStart,Stock0,Stock1", "Stock1"];
  expect([first.pages(), same.pages()]).toEqual([[whole], [whole]]);
  expect(later.pages()).toEqual([[true, "Stock2,Stock3,Stock4", "Stock4"]]);
  expect(from.pages()).toEqual([[true, "Stock8,Stock9", undefined]]);

  state.head = 2;
  state.orders = [...ordersOf(1, 1), orderOf(2, { name: "Stock3" })];
  state.stocks = state.stocks.map((stock) => (stock.name === "Stock3" ? { ...stock, rev: 2 } : stock));
  await clock.advance(200);
  expect(first.pages()).toEqual([whole]);
  expect(later.pages().slice(1)).toEqual([[false, "Stock3", undefined]]);
  for (const { numbers } of [first, same, later, from]) expect(numbers()).toEqual([1, 2]);
});

test("an order whose stock is on no page is also sent only when it is settled", async () => {
  const { clock, state, asked, listen, grow } = setUp();
  grow(1);
  state.stocks = [stockOf("Aardvark"), ...state.stocks];
  const { numbers, pages } = listen(undefined, { limit: 1 });
  await clock.advance(200);
  state.head = 2;
  state.orders = ordersOf(1, 2);
  await clock.advance(200);
  expect(numbers()).toEqual([1]);
  state.stocks = [stockOf("Aardvark"), stockOf("GameStart", { rev: 2 })];
  await clock.advance(200);
  expect(numbers()).toEqual([1, 2]);
  expect(pages()).toEqual([[true, "Aardvark", "Aardvark"]]);
  expect(asked.named).toEqual([["GameStart"], ["GameStart"], ["GameStart"]]);
});

test("the stocks of another catalog are sent as a whole, even if their names are the same", async () => {
  const { clock, state, listen, grow } = setUp();
  grow(1);
  const { pages } = listen();
  await clock.advance(200);
  state.life = "another life";
  grow(2);
  await clock.advance(200);
  expect(pages().map(([complete]) => complete)).toEqual([true, true]);
});

test("at most 100 different pages may be shown, and a page without listeners doesn't count", async () => {
  const { listen } = setUp();
  const shown = Array.from({ length: 100 }, (_, index) => listen(undefined, { start: `Stock${index}` }));
  expect(() => listen(undefined, { start: "one more" })).toThrowError(/at most 100 different pages/);
  listen(undefined, { start: "Stock7" }).leave();
  shown[7]?.leave();
  shown[7]?.leave();
  listen(undefined, { start: "one more" });
});
