import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createTestClient,
  expectFailure,
  orderNumberIn,
  quantityOf,
  strangeNames,
  type TestClient,
} from "./support/client.ts";

const gameStart = { name: "GameStart", price: 15.99, quantity: 100 };

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("GET /hello", () => {
  test("greets in plain text", async () => {
    const answer = await client.get("/hello?name=user");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("Hello, user!");
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect((await client.get("/hello?name=J%C3%BCrgen+%F0%9F%9A%80")).text).toBe("Hello, Jürgen 🚀!");
    expect((await client.get("/hello")).text).toBe("Hello, user!");
  });
});

describe("lookups", () => {
  test.each([
    "/stocks?stockname=GameStart",
    "/stocks/?stockname=GameStart",
    "/stock/GameStart",
    "/products/GameStart",
    "/products/GameStart/",
  ])("GET %s answers as the lookup", async (path) => {
    const answer = await client.get(path);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ data: gameStart });
    const tag = (await client.get("/stocks/GameStart")).headers.etag ?? "";
    expect(tag).toMatch(/^".+-0"$/);
    expect(answer.headers.etag).toBe(tag);
    expect((await client.get(path, { "if-none-match": tag })).status).toBe(304);
  });

  test("an unknown stock gets the text of each system", async () => {
    const reason = "INVALID_STOCKNAME";
    expectFailure(await client.get("/stocks?stockname=Nope"), 404, "stock not found", reason);
    expectFailure(await client.get("/stock/Nope"), 400, "Bad request. Nope stock not found in db", reason);
    expectFailure(await client.get("/products/Nope"), 404, "product not found", reason);
  });

  test.each(strangeNames)("%s is an unknown stock", async (_, name) => {
    const encoded = encodeURIComponent(name);
    const reason = "INVALID_STOCKNAME";
    expectFailure(await client.get(`/stocks?stockname=${encoded}`), 404, "stock not found", reason);
    expectFailure(await client.get(`/stock/${encoded}`), 400, `Bad request. ${name} stock not found in db`, reason);
    expectFailure(await client.get(`/products/${encoded}`), 404, "product not found", reason);
  });

  test.each([
    "/stocks?stockname=",
    "/stocks?stockname",
    "/stocks/?stockname=",
    "/stock/",
    "/stock",
    "/products/",
    "/products",
  ])("GET %s lacks the name", async (path) => {
    expectFailure(await client.get(path), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });
});

describe("GET /orders?order-number=", () => {
  test("answers as the order query, with the type in upper case", async () => {
    const number = orderNumberIn(await client.post("/orders", { name: "FishCo", quantity: 2, type: "buy" }));
    const answer = await client.get(`/orders?order-number=${number}`);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(`{"data":{"number":${number},"name":"FishCo","type":"BUY","quantity":2}}`);
    expect((await client.get(`/orders?limit=1&order-number=${number}`)).text).toBe(answer.text);
    expect((await client.get(`/orders/?order-number=${number}`)).text).toBe(answer.text);
  });

  test("an unknown order is not found, and a text that is no number is refused", async () => {
    for (const number of ["1000000", "9".repeat(30), "0", "-1", "-5"]) {
      expectFailure(await client.get(`/orders?order-number=${number}`), 404, "order not found", "INVALID_ORDERNUMBER");
    }
    for (const text of ["", "-", "x", "1.5"]) {
      const answer = await client.get(`/orders?order-number=${text}`);
      expectFailure(answer, 400, "Invalid GET request/URL", "INVALID_REQUEST");
    }
  });
});

describe("POST /order", () => {
  test.each(["/order", "/order/"])("%s trades", async (path) => {
    const before = await quantityOf(client, "FishCo");
    const number = orderNumberIn(await client.post(path, { name: "FishCo", quantity: 3, type: "SELL" }));
    expect(await quantityOf(client, "FishCo")).toBe(before + 3);
    expect((await client.get(`/orders/${number}`)).body).toMatchObject({ data: { type: "sell", quantity: 3 } });
  });

  test("has its own texts for rejections", async () => {
    const trade = { name: "FishCo", quantity: 2_147_483_647, type: "buy" };
    expectFailure(
      await client.post("/order", trade),
      500,
      "Insufficient volume for FishCo stock",
      "INSUFFICIENT_QUANTITY",
    );
    const unknown = await client.post("/order/", { ...trade, name: "Nope" });
    expectFailure(unknown, 400, "Bad request. Nope stock not found in db", "INVALID_STOCKNAME");
  });

  test("has the texts of POST /orders for all other failures", async () => {
    const trade = { name: "FishCo", quantity: 1, type: "buy" };
    for (const [value, headers] of [
      [{}, {}],
      [{ ...trade, quantity: 0 }, {}],
      [{ ...trade, type: "hold" }, {}],
      [trade, { "idempotency-key": "" }],
      [trade, { "content-type": "text/plain" }],
      [{ ...trade, name: "x".repeat(70_000) }, {}],
    ] as const) {
      const answer = await client.post("/order", value, headers);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).toBe((await client.post("/orders", value, headers)).text);
    }
  });

  test("a repeated key returns its first outcome on every route", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const trade = { name: "FishCo", quantity: 1, type: "buy" };
    const first = await client.post("/orders", trade, key);
    const again = await client.post("/order", trade, key);
    expect(again.text).toBe(first.text);
    expect(again.headers["idempotent-replayed"]).toBe("true");
  });
});

describe("GET /get_order_leader", () => {
  test("returns the leader's replica id", async () => {
    const { leader } = await client.bazaar.cluster();
    const answer = await client.get("/get_order_leader");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(`{"data":{"order_leader":${leader}}}`);
  });

  test("fails if there is no leader, or the cluster's state is unknown", async () => {
    const message = "Internal Server Error. Check get_order_leader logs";
    const state = { ...(await client.bazaar.cluster()), leader: 0 };
    const leaderless = await createTestClient({ changes: { cluster: async () => state } });
    expectFailure(await leaderless.get("/get_order_leader"), 500, message, "INTERNAL_ERROR");
    await leaderless.close();
    const silent = await createTestClient({ changes: { cluster: () => Promise.reject(new Error("silence")) } });
    expectFailure(await silent.get("/get_order_leader"), 500, message, "INTERNAL_ERROR");
    await silent.close();
  });
});

describe("GET /cache_invalid/{name}", () => {
  test("drops the name", async () => {
    await client.get("/stocks/GameStart");
    const answer = await client.get("/cache_invalid/GameStart");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"data":"cache invalidation successful"}');
    expect((await client.get("/stocksCacheLookup/GameStart")).status).toBe(404);
    expectFailure(await client.get("/cache_invalid/"), 400, "Invalid GET request/URL", "INVALID_REQUEST");
  });
});

describe("POST /buy", () => {
  test("buys", async () => {
    const before = await quantityOf(client, "BoarCo");
    const answer = await client.post("/buy", { name: "BoarCo", quantity: 1 });
    expect(answer.status).toBe(200);
    const { data } = answer.body as { data: { order_number: number } };
    expect(answer.text).toBe(`{"data":{"order_number":${data.order_number}}}`);
    expect((await client.get(`/orders/${data.order_number}`)).body).toEqual({
      data: { number: data.order_number, name: "BoarCo", type: "buy", quantity: 1 },
    });
    expect(await quantityOf(client, "BoarCo")).toBe(before - 1);
  });

  test("too little stock is a success with the number -1", async () => {
    const before = await quantityOf(client, "BoarCo");
    const key = { "idempotency-key": crypto.randomUUID() };
    for (const replayed of [undefined, "true"]) {
      const answer = await client.post("/buy", { name: "BoarCo", quantity: before + 1 }, key);
      expect(answer.status).toBe(200);
      expect(answer.text).toBe('{"data":{"order_number":-1}}');
      expect(answer.headers["idempotent-replayed"]).toBe(replayed);
    }
    expect(await quantityOf(client, "BoarCo")).toBe(before);
  });

  test("never sells, whatever the type", async () => {
    const before = await quantityOf(client, "BoarCo");
    await client.post("/buy", { name: "BoarCo", quantity: 2, type: "sell" });
    expect(await quantityOf(client, "BoarCo")).toBe(before - 2);
  });

  test("an unknown product is not found", async () => {
    expectFailure(
      await client.post("/buy", { name: "Tux", quantity: 1 }),
      404,
      "product not found",
      "INVALID_STOCKNAME",
    );
    const long = await client.post("/buy", { name: "x".repeat(300), quantity: 1 });
    expectFailure(long, 404, "product not found", "INVALID_STOCKNAME");
  });

  test("requires JSON and its length", async () => {
    const body = JSON.stringify({ name: "BoarCo", quantity: 1 });
    const length = { "content-length": String(body.length) };
    const asText = { headers: { ...length, "content-type": "text/plain" }, body };
    const notJson = "Content-Type must be application/json";
    expectFailure(await client.send("POST", "/buy", asText), 415, notJson, "INVALID_REQUEST");
    const lengthless = { headers: { "content-type": "application/json" }, body };
    expectFailure(await client.send("POST", "/buy", lengthless), 411, "Content-Length is required", "INVALID_REQUEST");
  });

  test("refuses a body that isn't a purchase", async () => {
    const malformed = "Invalid request- JSON object should contain name and quantity";
    for (const value of [
      {},
      [],
      null,
      { name: "BoarCo" },
      { quantity: 1 },
      { name: 1, quantity: 1 },
      { name: "BoarCo", quantity: "1" },
    ]) {
      expectFailure(await client.post("/buy", value), 400, malformed, "INVALID_REQUEST");
    }
    for (const quantity of [0, -1, 1.5, 2_147_483_648]) {
      const answer = await client.post("/buy", { name: "BoarCo", quantity });
      expectFailure(answer, 400, "quantity must be a positive integer", "INVALID_REQUEST");
    }
    const large = await client.post("/buy", { name: "x".repeat(70_000), quantity: 1 });
    expectFailure(large, 413, "Request body is larger than 64 KiB", "INVALID_REQUEST");
  });

  test("a key used for another request is refused", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    await client.post("/buy", { name: "BoarCo", quantity: 1 }, key);
    const other = await client.post("/buy", { name: "BoarCo", quantity: 2 }, key);
    expectFailure(other, 422, "Idempotency-Key was used with a different request", "KEY_REUSED");
  });
});
