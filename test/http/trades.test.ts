import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Body,
  createTestClient,
  expectFailure,
  orderNumberIn,
  quantityOf,
  strangeNames,
  type TestClient,
} from "./support/client.ts";

const malformed = "Invalid request- JSON object should contain name, quantity and type";
const wrongQuantity = "quantity must be a positive integer";
const wrongType = "Order type is invalid, only buy/sell are accepted";
const wrongKey = "Idempotency-Key must be 1 to 255 visible ASCII characters";
const trade = { name: "GameStart", quantity: 1, type: "buy" };

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

function sendJson(body: Body, headers: Record<string, string> = {}) {
  return client.send("POST", "/orders", { headers: { "content-type": "application/json", ...headers }, body });
}

/** A body without a length; `sent()` returns how many bytes of it were read. */
function streamed(totalBytes: number, chunkBytes = 4096) {
  let sentBytes = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sentBytes >= totalBytes) return controller.close();
      controller.enqueue(new Uint8Array(chunkBytes).fill(0x20));
      sentBytes += chunkBytes;
    },
  });
  return { body, sent: () => sentBytes };
}

describe("POST /orders", () => {
  test("buys and sells, and returns the number of the order", async () => {
    const before = await quantityOf(client, "GameStart");
    const bought = await client.post("/orders", { name: "GameStart", quantity: 2, type: "buy" });
    expect(bought.status).toBe(200);
    const first = orderNumberIn(bought);
    expect(await quantityOf(client, "GameStart")).toBe(before - 2);
    const sold = await client.post("/orders", { name: "GameStart", quantity: 5, type: "sell" });
    expect(sold.text).toBe(`{"data":{"transaction_number":${first + 1}}}`);
    expect(await quantityOf(client, "GameStart")).toBe(before + 3);
  });

  test.each(["buy", "BUY", "Buy", "bUY", "sell", "SELL", "Sell", "sElL"])("accepts the type %s", async (type) => {
    const number = orderNumberIn(await client.post("/orders", { name: "GameStart", quantity: 1, type }));
    expect((await client.get(`/orders/${number}`)).body).toEqual({
      data: { number, name: "GameStart", type: type.toLowerCase(), quantity: 1 },
    });
  });

  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/json ;charset=UTF-8",
  ])("accepts the content type %s", async (contentType) => {
    expect((await client.post("/orders", trade, { "content-type": contentType })).status).toBe(200);
  });

  test("accepts a trailing slash, additional fields, and a body without a length", async () => {
    expect((await client.post("/orders/", trade)).status).toBe(200);
    expect((await client.post("/orders", { ...trade, note: "x", __proto__: null })).status).toBe(200);
    const body = new Blob([JSON.stringify(trade)]).stream();
    expect((await sendJson(body)).status).toBe(200);
  });

  test.each([
    ["none", undefined],
    ["text", "text/plain"],
    ["a form", "application/x-www-form-urlencoded"],
    ["something like JSON", "application/jsonp"],
    ["JSON's older name", "text/json"],
    ["empty", ""],
  ])("refuses a content type that is %s", async (_, contentType) => {
    const headers: Record<string, string> = contentType === undefined ? {} : { "content-type": contentType };
    const body = new TextEncoder().encode(JSON.stringify(trade));
    expectFailure(await client.send("POST", "/orders", { headers, body }), 400, malformed, "INVALID_REQUEST");
  });

  test.each([
    ["nothing", ""],
    ["half an object", '{"name":"GameStart"'],
    ["words", "buy one GameStart"],
    ["a comma too many", '{"name":"GameStart","quantity":1,"type":"buy",}'],
    ["single quotes", "{'name':'GameStart','quantity':1,'type':'buy'}"],
    ["a NUL", "\0"],
    ["60 kB of brackets", "[".repeat(60_000)],
    ["60 kB of objects", '{"a":'.repeat(12_000)],
    ["bytes that aren't UTF-8", new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])],
    ["null", "null"],
    ["a number", "1"],
    ["a text", '"buy"'],
    ["true", "true"],
    ["a list", "[]"],
    ["a list with a trade", '[{"name":"GameStart","quantity":1,"type":"buy"}]'],
    ["an empty object", "{}"],
  ])("refuses a body that is %s", async (_, body) => {
    expectFailure(await sendJson(body), 400, malformed, "INVALID_REQUEST");
    const contentLength = String(Buffer.byteLength(body));
    const answer = await sendJson(body, { "content-length": contentLength });
    expectFailure(answer, 400, malformed, "INVALID_REQUEST");
  });

  test.each([
    ["no name", { quantity: 1, type: "buy" }],
    ["no quantity", { name: "GameStart", type: "buy" }],
    ["no type", { name: "GameStart", quantity: 1 }],
    ["other letters in a field's name", { Name: "GameStart", quantity: 1, type: "buy" }],
    ["a number as name", { ...trade, name: 1 }],
    ["null as name", { ...trade, name: null }],
    ["a list as name", { ...trade, name: ["GameStart"] }],
    ["a text as quantity", { ...trade, quantity: "1" }],
    ["null as quantity", { ...trade, quantity: null }],
    ["true as quantity", { ...trade, quantity: true }],
    ["an object as quantity", { ...trade, quantity: {} }],
    ["a number as type", { ...trade, type: 1 }],
    ["null as type", { ...trade, type: null }],
    ["a wrong quantity and no name", { quantity: 0, type: "buy" }],
    ["a wrong quantity and null as type", { ...trade, quantity: 0, type: null }],
    ["a wrong type and no quantity", { name: "GameStart", type: "hold" }],
  ])("refuses %s", async (_, value) => {
    expectFailure(await client.post("/orders", value), 400, malformed, "INVALID_REQUEST");
  });

  test.each(["0", "-1", "-0", "1.5", "0.999", "2147483648", "9007199254740993", "1e999", "-1e999", "1e-3", "1e10"])(
    "refuses the quantity %s",
    async (quantity) => {
      const answer = await sendJson(`{"name":"GameStart","quantity":${quantity},"type":"buy"}`);
      expectFailure(answer, 400, wrongQuantity, "INVALID_REQUEST");
    },
  );

  test("accepts whole numbers in every notation", async () => {
    for (const quantity of ["1", "1.0", "1e0", "10e-1"]) {
      expect((await sendJson(`{"name":"GameStart","quantity":${quantity},"type":"sell"}`)).status).toBe(200);
    }
  });

  test.each(["", "hold", "buysell", " buy", "buy ", "b", "restock", "RESTOCK", "ſell", "buy\n", "buy\0", "__proto__"])(
    "refuses the type %j",
    async (type) => {
      expectFailure(await client.post("/orders", { ...trade, type }), 400, wrongType, "INVALID_REQUEST");
    },
  );

  test("reports a wrong quantity before a wrong type, and both before key and name", async () => {
    const everything = { name: "Nope", quantity: 0, type: "hold" };
    const badKey = { "idempotency-key": "no spaces" };
    expectFailure(await client.post("/orders", everything, badKey), 400, wrongQuantity, "INVALID_REQUEST");
    expectFailure(
      await client.post("/orders", { ...everything, quantity: 1 }, badKey),
      400,
      wrongType,
      "INVALID_REQUEST",
    );
    expectFailure(await client.post("/orders", { ...trade, name: "Nope" }, badKey), 400, wrongKey, "INVALID_REQUEST");
  });

  test.each(strangeNames)("%s is an unknown stock", async (_, name) => {
    const answer = await client.post("/orders", { ...trade, name });
    expectFailure(answer, 404, "stock not found", "INVALID_STOCKNAME");
  });

  test.each(["", "\ud800", "GameStart\udc00", "x".repeat(256)])("the bazaar isn't asked for %j", async (name) => {
    const ask = vi.fn();
    const asked = await createTestClient({ changes: { trade: ask } });
    expectFailure(await asked.post("/orders", { ...trade, name }), 404, "stock not found", "INVALID_STOCKNAME");
    expect(ask).not.toHaveBeenCalled();
    await asked.close();
  });

  test("refuses to buy more than the available quantity", async () => {
    const quantity = await quantityOf(client, "GameStart");
    const answer = await client.post("/orders", { ...trade, quantity: quantity + 1 });
    const message = "Available quantity to buy is less than requested quantity";
    expectFailure(answer, 400, message, "INSUFFICIENT_QUANTITY");
    expectFailure(
      await client.post("/orders", { ...trade, quantity: 2_147_483_647 }),
      400,
      message,
      "INSUFFICIENT_QUANTITY",
    );
    expect(await quantityOf(client, "GameStart")).toBe(quantity);
  });
});

describe("the size of a body", () => {
  const tooLarge = "Request body is larger than 64 KiB";
  /** Spaces around JSON are allowed, so that the size alone decides. */
  const padded = (bytes: number) => JSON.stringify({ ...trade, type: "sell" }).padEnd(bytes, " ");

  test("64 KiB are accepted, with and without a length", async () => {
    expect((await sendJson(padded(65_536))).status).toBe(200);
    expect((await sendJson(padded(65_536), { "content-length": "65536" })).status).toBe(200);
  });

  test("one byte more is refused, with and without a length", async () => {
    expectFailure(await sendJson(padded(65_537)), 413, tooLarge, "INVALID_REQUEST");
    expectFailure(await sendJson(padded(65_537), { "content-length": "65537" }), 413, tooLarge, "INVALID_REQUEST");
  });

  test("a body over the limit isn't read to its end, and not at all if it has a length", async () => {
    const counted = streamed(100_000_000);
    expectFailure(await sendJson(counted.body), 413, tooLarge, "INVALID_REQUEST");
    expect(counted.sent()).toBeLessThan(200_000);
    const declared = streamed(100_000_000);
    const answer = await sendJson(declared.body, { "content-length": "100000000" });
    expectFailure(answer, 413, tooLarge, "INVALID_REQUEST");
    expect(declared.sent()).toBeLessThan(100_000);
  });

  test("a body that ends early is malformed", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the client went away")),
    });
    expectFailure(await sendJson(body), 400, malformed, "INVALID_REQUEST");
  });

  test("a wrong content type is reported first", async () => {
    const answer = await sendJson(padded(65_537), { "content-type": "text/plain" });
    expectFailure(answer, 400, malformed, "INVALID_REQUEST");
  });
});
