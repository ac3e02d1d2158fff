import { expect, test } from "vitest";
import type { Sample, ServerEvent } from "@stock-bazaar/contract/events";
import type { Cluster, ListedOrder, ListedStock } from "@stock-bazaar/contract/replies";
import { applyEvent, emptyModel, loseConnection, type Model } from "./model.ts";

const stock = (name: string, quantity: number): ListedStock => ({ name, price: 10, quantity, volume: 0 });
const order = (number: number): ListedOrder => ({
  number,
  name: "GameStart",
  type: "buy",
  quantity: 1,
  price: 10,
  created_at: "2026-01-01T00:00:00.000Z",
});
const cluster = (change: Partial<Cluster> = {}): Cluster => ({
  leader: 3,
  term: 1,
  catalog: { state: "live", last_id: 7, stocks: 10 },
  replicas: [1, 2, 3].map((id) => ({ id, state: "live", role: id === 3 ? "leader" : "follower", last_id: 7, lag: 0 })),
  front_ends: [{ address: "127.0.0.1:8080", state: "live", dialect: "bazaar" }],
  cache: { capacity: 1000, size: 0, leased: true },
  ...change,
});
const after = (...events: ServerEvent[]): Model =>
  events.reduce((model, event, index) => applyEvent(model, event, index), emptyModel);
const stocks = (complete: boolean, ...sent: ListedStock[]): ServerEvent => ({
  event: "stocks",
  data: { complete, stocks: sent },
});
const orders = (skipped: number, ...numbers: number[]): ServerEvent => ({
  event: "orders",
  data: { skipped, orders: numbers.map(order) },
});

test("a changed stock flashes and shows by how much; the others stay the same objects", () => {
  const before = after(stocks(true, stock("B", 5), stock("A", 5)));
  expect(before.rows?.map(({ name, changes }) => [name, changes])).toEqual([
    ["A", 0],
    ["B", 0],
  ]);
  const less = applyEvent(before, stocks(false, stock("A", 4)), 1);
  expect(less.rows?.[0]).toMatchObject({ name: "A", quantity: 4, changes: 1, change: { by: -1, atMs: 1 } });
  expect(less.rows?.[1]).toBe(before.rows?.[1]);
  const more = applyEvent(less, stocks(false, stock("A", 9)), 2);
  expect(more.rows?.[0]).toMatchObject({ quantity: 9, changes: 2, change: { by: 5, atMs: 2 } });
  const dearer = applyEvent(more, stocks(false, { ...stock("A", 9), price: 11 }), 3);
  expect(dearer.rows?.[0]).toMatchObject({ changes: 3, change: { by: 5, atMs: 2 } });
});

test("a complete page removes missing stocks, and unchanged stocks don't flash", () => {
  const model = after(stocks(true, stock("A", 5), stock("B", 5)), stocks(true, stock("A", 5)));
  expect(model.rows).toEqual([{ ...stock("A", 5), changes: 0, change: undefined }]);
});

test("a complete page sets the next page; a change of the page doesn't", () => {
  const page: ServerEvent = { event: "stocks", data: { complete: true, stocks: [stock("A", 5)], next: "A" } };
  expect(after(page).next).toBe("A");
  expect(after(page, stocks(false, stock("A", 6))).next).toBe("A");
  expect(after(page, stocks(true, stock("B", 5)))).toMatchObject({ rows: [{ name: "B" }], next: undefined });
});

test("orders are kept newest first, each once, with the number of skipped orders", () => {
  const model = after(orders(0, 2, 1), orders(0, 3), orders(6, 11, 10));
  expect(model.orders.map(({ number, skipped }) => [number, skipped])).toEqual([
    [11, 0],
    [10, 6],
    [3, 0],
    [2, 0],
    [1, 0],
  ]);
  const numbers = (events: ServerEvent) => applyEvent(model, events, 5).orders.map(({ number }) => number);
  expect(numbers(orders(0, 11, 10, 9))).toEqual([11, 10, 9, 3, 2, 1]);
  expect(numbers(orders(0, 12, 11, 10))).toEqual([12, 11, 10, 3, 2, 1]);
});

test("the numbers of orders, samples and happenings are bounded", () => {
  const sample: Sample = { at: "", orders_per_second: 1, p50_ms: 1, p99_ms: 1, hit_rate: 1 };
  let model = emptyModel;
  for (let number = 1; number <= 400; number += 1) {
    model = applyEvent(model, orders(0, number), number);
    model = applyEvent(model, { event: "sample", data: sample }, number);
    model = applyEvent(model, { event: "cluster", data: cluster({ term: number }) }, number);
  }
  expect(model.orders).toHaveLength(40);
  expect(model.samples).toHaveLength(300);
  expect(model.happenings).toHaveLength(12);
  expect(new Set(model.happenings.map(({ id }) => id)).size).toBe(12);
});

test("the loss of a leader and the next leader are happenings in that order", () => {
  const [one, two, three] = cluster().replicas;
  if (!one || !two || !three) throw new Error("three replicas");
  const away = cluster({ leader: null, replicas: [one, two, { ...three, state: "away" }] });
  const model = after(
    { event: "cluster", data: cluster() },
    { event: "cluster", data: away },
    { event: "cluster", data: { ...away, leader: 2, term: 2 } },
    { event: "cluster", data: cluster({ leader: 2, term: 2, replicas: [one, two, { ...three, lag: 12 }] }) },
  );
  expect(model.happenings.map(({ text, bad }) => [text, bad]).toReversed()).toEqual([
    ["Replica 3 is away", true],
    ["No replica leads: a new leader is being chosen", true],
    ["Replica 2 leads, term 2", false],
    ["Replica 3 is back, 12 orders behind", false],
  ]);
});

test("a frozen replica and an absent catalog have their own messages", () => {
  const [one, two, three] = cluster().replicas;
  if (!one || !two || !three) throw new Error("three replicas");
  const model = after(
    { event: "cluster", data: cluster() },
    {
      event: "cluster",
      data: cluster({
        catalog: { state: "away", last_id: null, stocks: null },
        replicas: [{ ...one, state: "silent" }, two, three],
      }),
    },
    { event: "cluster", data: cluster() },
  );
  expect(model.happenings.map(({ text }) => text).toReversed()).toEqual([
    "The catalog is away: trades wait until it is back",
    "Replica 1 is silent: frozen, or cut off",
    "The catalog is back",
    "Replica 1 is back",
  ]);
});

test("a takeover by a standby catalog is told, and a standby is nothing bad", () => {
  const catalogs = (...states: ("active" | "standby" | "away")[]): ServerEvent => ({
    event: "cluster",
    data: cluster({ catalogs: states.map((state, index) => ({ address: `127.0.0.1:${index}`, state })) }),
  });
  const model = after(
    catalogs("active", "standby"),
    catalogs("away", "standby"),
    catalogs("away", "active"),
    catalogs("standby", "active"),
  );
  expect(model.happenings.map(({ text, bad }) => [text, bad]).toReversed()).toEqual([
    ["Catalog 1 is away", true],
    ["Catalog 2 is active", false],
    ["Catalog 1 stands by", false],
  ]);
});

test("the connection is live after the first event; a loss and the reconnection are logged once each", () => {
  const hello: ServerEvent = { event: "hello", data: { faults: true } };
  const live = after(hello);
  expect(live).toMatchObject({ connection: "live", faults: true, happenings: [] });
  const lost = loseConnection(loseConnection(live, 5), 6);
  expect(lost.happenings.map(({ text }) => text)).toEqual(["Connection to the front-end lost"]);
  expect(lost).toMatchObject({ connection: "lost", lastEventMs: 0 });
  expect(applyEvent(lost, hello, 9).happenings.map(({ text }) => text)).toEqual([
    "Connected again",
    "Connection to the front-end lost",
  ]);
  // A page that was opened without a front-end has lost no connection.
  expect(loseConnection(emptyModel, 1)).toMatchObject({ connection: "lost", happenings: [] });
});
