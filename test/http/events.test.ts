/** `GET /events`: which events each listener receives, and when. */

import { createMetrics } from "@stock-bazaar/front-end/http/metrics";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestClient, expectFailure, orderNumberIn, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

interface StocksData {
  readonly complete: boolean;
  readonly stocks: readonly { readonly name: string; readonly quantity: number }[];
}
interface OrdersData {
  readonly skipped: number;
  readonly orders: readonly { readonly number: number; readonly name: string }[];
}

const trade = (quantity: number) => client.post("/orders", { name: "FishCo", type: "buy", quantity });
const has =
  (number: number) =>
  ({ orders }: OrdersData) =>
    orders.some((order) => order.number === number);

test("a new listener receives the stocks, the cluster and the traffic, then each change", async () => {
  const fresh = await createTestClient();
  const events = await fresh.events();
  expect((await events.next())?.text).toBe('event: hello\ndata: {"faults":false}\n\n');
  expect(await events.next()).toMatchObject({
    event: "history",
    data: { interval_ms: 1000, samples: expect.any(Array) },
  });
  expect((await events.nextOf("cluster")).data).toMatchObject({ leader: 3, term: 1, catalog: { state: "live" } });
  const { data: stocks } = await events.nextOf("stocks");
  expect(stocks).toEqual({
    complete: true,
    stocks: ((await fresh.get("/stocks")).body as { data: unknown }).data,
  });

  const number = orderNumberIn(await fresh.post("/orders", { name: "FishCo", type: "buy", quantity: 7 }));
  expect((await events.nextOf("stocks")).data).toEqual({
    complete: false,
    stocks: [{ name: "FishCo", price: 10, quantity: 93, volume: 7 }],
  });
  const sent = await events.nextOf("orders");
  expect(sent.id).toBe(String(number));
  expect(sent.data).toEqual({
    skipped: 0,
    orders: [{ number, name: "FishCo", type: "buy", quantity: 7, price: 10, created_at: expect.any(String) }],
  });
  expect((await events.nextOf("sample")).data).toMatchObject({ at: expect.any(String) });
  await events.close();
  await fresh.close();
});

test("a client that reconnects receives the orders after its last one, each once", async () => {
  const before = orderNumberIn(await trade(1));
  const [first, second] = [orderNumberIn(await trade(1)), orderNumberIn(await trade(1))];
  const events = await client.events(before);
  const { data, id } = await events.nextOf("orders");
  expect((data as OrdersData).orders.map(({ number }) => number)).toEqual([second, first]);
  expect(data).toMatchObject({ skipped: 0 });
  expect(id).toBe(String(second));
  const third = orderNumberIn(await trade(1));
  expect((await events.nextOf("orders")).data).toMatchObject({ skipped: 0, orders: [{ number: third }] });
  await events.close();
});

test("a client that can't set the header sends the id in the query", async () => {
  const before = orderNumberIn(await trade(1));
  const number = orderNumberIn(await trade(1));
  const events = await client.events(undefined, `?last-event-id=${before}`);
  expect((await events.nextOf("orders")).data).toMatchObject({ skipped: 0, orders: [{ number }] });
  await events.close();
});

test("a client that has the newest order receives no order again, but all stocks", async () => {
  const last = orderNumberIn(await trade(1));
  const events = await client.events(last);
  expect((await events.nextOf("stocks")).data).toMatchObject({ complete: true });
  const next = orderNumberIn(await trade(1));
  expect((await events.nextOf("orders")).data).toMatchObject({ orders: [{ number: next }] });
  await events.close();
});

test.each([1_000_000_000, Number.MAX_SAFE_INTEGER])(
  "an id that no order has yet, %i, counts as none: it comes from another ledger",
  async (id) => {
    const last = orderNumberIn(await trade(1));
    const events = await client.events(id);
    const { data } = await events.nextOf("orders");
    expect(has(last)(data as OrdersData)).toBe(true);
    await events.close();
  },
);

test("an id that is no number counts as none", async () => {
  const last = orderNumberIn(await trade(1));
  for (const query of ["?last-event-id=", "?last-event-id=-1", "?last-event-id=x"]) {
    const events = await client.events(undefined, query);
    await events.nextOf("orders", has(last));
    await events.close();
  }
});

test("many listeners receive the same events at the same time", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => client.events()));
  await Promise.all(all.map((events) => events.nextOf("stocks")));
  const number = orderNumberIn(await trade(1));
  await Promise.all(all.map((events) => events.nextOf("orders", has(number))));
  await Promise.all(all.map((events) => events.close()));
});

test("an order is sent only with its stock, or after it", async () => {
  const events = await client.events();
  await events.nextOf("stocks");
  const before = ((await client.get("/stocks/GameStart")).body as { data: { quantity: number } }).data.quantity;
  let left = before;
  const done = (async () => {
    for (let count = 0; count < 30; count += 1) {
      await client.post("/orders", { name: "GameStart", type: "buy", quantity: 1 });
    }
  })();
  let orders = 0;
  while (orders < 30) {
    const next = await events.next();
    if (next?.event === "stocks")
      left = (next.data as StocksData).stocks.find(({ name }) => name === "GameStart")?.quantity ?? left;
    if (next?.event === "orders")
      orders += (next.data as OrdersData).orders.filter(({ name }) => name === "GameStart").length;
    expect(before - left).toBeGreaterThanOrEqual(orders);
  }
  await done;
  await events.close();
});

test("while no service answers, the listener still receives the cluster", async () => {
  const fail = () => Promise.reject(new BazaarError("UNAVAILABLE", "secret"));
  let failing = true;
  const { bazaar } = client;
  const asked = client.beside({
    changes: {
      stocks: (request) => (failing ? fail() : bazaar.stocks(request)),
      orders: (request) => (failing ? fail() : bazaar.orders(request)),
    },
  });
  const events = await asked.events();
  await events.nextOf("cluster");
  failing = false;
  await events.nextOf("stocks", ({ complete }: StocksData) => complete);
  await events.close();
});

test("HEAD opens no stream", async () => {
  const head = await client.send("HEAD", "/events");
  expect(head).toMatchObject({ status: 200, text: "" });
  expect(head.headers["content-type"]).toBe("text/event-stream");
});

test("the headers forbid proxies to store or buffer events", async () => {
  const { headers } = await client.send("HEAD", "/events");
  expect(headers).toMatchObject({ "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" });
});

test.each([
  ["limit=2", ["BoarCo", "FishCo"], "FishCo"],
  ["limit=1&after=BoarCo", ["FishCo"], "FishCo"],
  ["from=FishCo", ["FishCo", "GameStart"], undefined],
  ["from=G", ["GameStart"], undefined],
  ["after=GameStart", [], undefined],
])("with ?%s, only a page of the stocks is sent", async (query, names, next) => {
  const events = await client.events(undefined, `?${query}`);
  const { data } = await events.nextOf("stocks");
  const page = data as StocksData & { next?: string };
  expect(page.stocks.map(({ name }) => name)).toEqual(names);
  expect(page.next).toBe(next);
  await events.close();
});

test.each(["limit=0", "limit=1001", "limit=x", "limit=", "after=", `from=${"x".repeat(256)}`, "from=A&after=B"])(
  "?%s is an invalid request",
  async (query) => {
    expectFailure(await client.get(`/events?${query}`), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  },
);

test("with too many listeners, the next one gets a 503", async () => {
  const full = client.beside({ listenersMax: 3 });
  const all = await Promise.all(Array.from({ length: 3 }, () => full.events()));
  const answer = await full.get("/events");
  expectFailure(answer, 503, "State could not be read: no answer in time; try again", "UNAVAILABLE");
  await all.pop()?.close();
  await (await full.events()).close();
  await Promise.all(all.map((events) => events.close()));
});

test("the latency in the traffic is that of all routes that trade, and of no other", async () => {
  const { body } = await client.get("/openapi.json");
  const { paths } = body as { paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [path, method.toUpperCase()] as const),
  );
  const metrics = createMetrics();
  for (const [path, method] of routes) metrics.routeTimer(path, method).observe(200, method === "POST" ? 3 : 3000);
  const trades = routes.filter(([, method]) => method === "POST").length;
  expect(trades).toBeGreaterThan(1);
  metrics.routeTimer("/orders", "POST").observe(503, 20_000);
  expect([...metrics.takeTradeTimes()]).toEqual([...Array(trades).fill(3), 20_000]);
});
