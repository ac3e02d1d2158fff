import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, expectFailure, orderNumberIn, type TestClient } from "./support/client.ts";

const invalid = "Invalid GET request/URL";
const placed = 60;

let client: TestClient;
/** The number of the last order; there are at least `placed`. */
let last = 0;
beforeAll(async () => {
  client = await createTestClient();
  for (let count = 0; count < placed; count++) {
    last = orderNumberIn(await client.post("/orders", { name: "GameStart", quantity: count + 1, type: "sell" }));
  }
});
afterAll(() => client.close());

interface Page {
  readonly data: readonly { readonly number: number }[];
  readonly next?: number;
}

async function page(path: string): Promise<Page> {
  const answer = await client.get(path);
  expect(answer.status).toBe(200);
  return answer.body as Page;
}

const numbersFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first - index);

describe("GET /orders/{number}", () => {
  test("returns the order", async () => {
    const answer = await client.get(`/orders/${last}`);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(`{"data":{"number":${last},"name":"GameStart","type":"sell","quantity":${placed}}}`);
  });

  test("tolerates a trailing slash and leading zeros", async () => {
    const { text } = await client.get(`/orders/${last}`);
    expect((await client.get(`/orders/${last}/`)).text).toBe(text);
    expect((await client.get(`/orders/000${last}`)).text).toBe(text);
  });

  test("an order that doesn't exist yet is not found", async () => {
    expectFailure(await client.get(`/orders/${last + 1}`), 404, "order number not found", "INVALID_ORDERNUMBER");
  });

  test.each(["9007199254740991", "9007199254740992", "9".repeat(400)])(
    "%.20s is a valid number that no order has",
    async (number) => {
      expectFailure(await client.get(`/orders/${number}`), 404, "order number not found", "INVALID_ORDERNUMBER");
    },
  );

  test("the bazaar isn't asked for a number beyond the integers", async () => {
    const order = vi.fn();
    const asked = await createTestClient({ changes: { order } });
    expect((await asked.get("/orders/9007199254740992")).status).toBe(404);
    expect(order).not.toHaveBeenCalled();
    await asked.close();
  });

  test.each([
    "0",
    "00",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    "one",
    "1a",
    "%31a",
    "NaN",
    "Infinity",
    "%E0%A4%A",
    "%00",
    "١",
    "1%20",
    "__proto__",
  ])("%s is no order number", async (number) => {
    expectFailure(await client.get(`/orders/${number}`), 400, invalid, "INVALID_REQUEST");
  });

  test("no number is an invalid request", async () => {
    expectFailure(await client.get("/orders/"), 400, invalid, "INVALID_REQUEST");
    expectFailure(await client.get("/orders/?limit=5"), 400, invalid, "INVALID_REQUEST");
  });
});

describe("GET /orders", () => {
  test("lists the newest 50, newest first, with price, time and `next`", async () => {
    const { data, next } = await page("/orders");
    expect(data.map(({ number }) => number)).toEqual(numbersFrom(last, 50));
    expect(next).toBe(last - 49);
    expect(data[0]).toEqual({
      number: last,
      name: "GameStart",
      type: "sell",
      quantity: placed,
      price: 15.99,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  test("`next` leads through all orders, and ends with the last page", async () => {
    const seen: number[] = [];
    let path = "/orders?limit=7";
    for (;;) {
      const { data, next } = await page(path);
      seen.push(...data.map(({ number }) => number));
      if (next === undefined) break;
      expect(data).toHaveLength(7);
      path = `/orders?limit=7&before=${next}`;
    }
    expect(seen).toEqual(numbersFrom(last, last));
  });

  test("a page that just fits has no `next`", async () => {
    const { data, next } = await page(`/orders?limit=${last}`);
    expect(data).toHaveLength(last);
    expect(next).toBeUndefined();
    expect(await page("/orders?before=1")).toEqual({ data: [] });
  });

  test("`before` may be any number, however large", async () => {
    const newest = (await page("/orders?limit=1")).data;
    for (const before of [last + 1, "9007199254740993", "9".repeat(400)]) {
      expect((await page(`/orders?limit=1&before=${before}`)).data).toEqual(newest);
    }
  });

  test("asks the bazaar for one order more than it shows, and never for more than an integer", async () => {
    const orders = vi.fn(async () => []);
    const asked = await createTestClient({ changes: { orders } });
    await asked.get("/orders");
    await asked.get(`/orders?limit=1000&before=${"9".repeat(30)}`);
    expect(orders.mock.calls).toEqual([[{ before: 0, limit: 51 }], [{ before: Number.MAX_SAFE_INTEGER, limit: 1001 }]]);
    await asked.close();
  });

  test("accepts a limit from 1 to 1000", async () => {
    expect((await page("/orders?limit=1")).data).toHaveLength(1);
    expect((await page("/orders?limit=1000")).data).toHaveLength(last);
  });

  test.each([
    "limit=0",
    "limit=1001",
    "limit=-1",
    "limit=1.5",
    "limit=",
    "limit=ten",
    "limit=%00",
    "limit=1e2",
    "limit=%2B5",
  ])("refuses %s", async (query) => {
    expectFailure(await client.get(`/orders?${query}`), 400, invalid, "INVALID_REQUEST");
  });

  test.each(["before=0", "before=-1", "before=", "before=x", "before=1.5", "before=%E0%A4%A"])(
    "refuses %s",
    async (query) => {
      expectFailure(await client.get(`/orders?${query}`), 400, invalid, "INVALID_REQUEST");
    },
  );

  test("a restock is shown as a restock", async () => {
    const restock = {
      id: 1,
      key: "house-1",
      name: "GameStart",
      type: "restock",
      quantity: 100,
      priceCents: 1599,
      term: 1,
      createdAt: "2026-01-31T12:00:00.000Z",
    } as const;
    const restocked = await createTestClient({
      changes: { order: async () => restock, orders: async () => [restock] },
    });
    expect((await restocked.get("/orders/1")).body).toEqual({
      data: { number: 1, name: "GameStart", type: "restock", quantity: 100 },
    });
    expect((await restocked.get("/orders")).text).toBe(
      '{"data":[{"number":1,"name":"GameStart","type":"restock","quantity":100,"price":15.99,"created_at":"2026-01-31T12:00:00.000Z"}]}',
    );
    expect((await restocked.get("/orders?order-number=1")).body).toMatchObject({ data: { type: "RESTOCK" } });
    await restocked.close();
  });
});
