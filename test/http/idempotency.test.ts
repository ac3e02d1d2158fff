import type { Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClient, expectFailure, quantityOf, type TestClient } from "./support/client.ts";

const wrongKey = "Idempotency-Key must be 1 to 255 visible ASCII characters";
const trade = { name: "GameStart", quantity: 1, type: "buy" };

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("Idempotency-Key", () => {
  test("the same key and request trade once, and get the same reply", async () => {
    const before = await quantityOf(client, "GameStart");
    const key = { "idempotency-key": crypto.randomUUID() };
    const first = await client.post("/orders", trade, key);
    expect(first.status).toBe(200);
    expect(first.headers).not.toHaveProperty("idempotent-replayed");
    const again = await client.post("/orders", { ...trade, type: "BUY" }, key);
    expect(again.status).toBe(200);
    expect(again.text).toBe(first.text);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(await quantityOf(client, "GameStart")).toBe(before - 1);
  });

  test("a timeout without a key in the request returns the key that the trade had", async () => {
    const mute = client.beside({
      changes: {
        trade: async (wish, minted) => {
          await client.bazaar.trade(wish, minted);
          throw new BazaarError("UNAVAILABLE", "the answer was lost");
        },
      },
    });
    const before = await quantityOf(client, "GameStart");
    const lost = await mute.post("/orders", trade);
    expect(lost.status).toBe(503);
    const key = { "idempotency-key": lost.headers["idempotency-key"] ?? "" };
    const again = await client.post("/orders", trade, key);
    expect(again.status).toBe(200);
    expect(again.headers["idempotent-replayed"]).toBe("true");
    expect(await quantityOf(client, "GameStart")).toBe(before - 1);
    expect((await mute.post("/orders", trade, key)).headers).not.toHaveProperty("idempotency-key");
  });

  test("a rejection is repeated too, even if the trade would be accepted by then", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const wish = { name: "BoarCo", quantity: (await quantityOf(client, "BoarCo")) + 1, type: "buy" };
    const message = "Available quantity to buy is less than requested quantity";
    expectFailure(await client.post("/orders", wish, key), 400, message, "INSUFFICIENT_QUANTITY");
    await client.post("/orders", { name: "BoarCo", quantity: 10, type: "sell" });
    const again = await client.post("/orders", wish, key);
    expectFailure(again, 400, message, "INSUFFICIENT_QUANTITY");
    expect(again.headers["idempotent-replayed"]).toBe("true");
  });

  test("an unknown stock stays unknown for its key", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const wish = { ...trade, name: "Nope" };
    expect((await client.post("/orders", wish, key)).headers).not.toHaveProperty("idempotent-replayed");
    const again = await client.post("/orders", wish, key);
    expectFailure(again, 404, "stock not found", "INVALID_STOCKNAME");
    expect(again.headers["idempotent-replayed"]).toBe("true");
  });

  test.each([
    ["another stock", { ...trade, name: "FishCo" }],
    ["another quantity", { ...trade, quantity: 2 }],
    ["another type", { ...trade, type: "sell" }],
  ])("the same key with %s is refused", async (_, other) => {
    const key = { "idempotency-key": crypto.randomUUID() };
    await client.post("/orders", trade, key);
    const before = await quantityOf(client, "GameStart");
    const answer = await client.post("/orders", other, key);
    expectFailure(answer, 422, "Idempotency-Key was used with a different request", "KEY_REUSED");
    expect(answer.headers).not.toHaveProperty("idempotent-replayed");
    expect(await quantityOf(client, "GameStart")).toBe(before);
  });

  test.each([
    ["1 character", "k"],
    ["255 characters", "k".repeat(255)],
    ["every visible ASCII character", String.fromCharCode(...Array.from({ length: 94 }, (_, index) => index + 33))],
  ])("may have %s", async (_, key) => {
    expect((await client.post("/orders", trade, { "idempotency-key": key })).status).toBe(200);
  });

  test.each([
    ["be empty", ""],
    ["have 256 characters", "k".repeat(256)],
    ["have a space", "a b"],
    ["have a tab", "a\tb"],
    ["have a letter beyond ASCII", "é"],
    ["be sent twice", "a, b"],
  ])("must not %s", async (_, key) => {
    const answer = await client.post("/orders", trade, { "idempotency-key": key });
    expectFailure(answer, 400, wrongKey, "INVALID_REQUEST");
  });

  test("a request without a key gets one, and the bazaar receives the request's id", async () => {
    const traded: Trade[] = [];
    const watched = await createTestClient({
      changes: {
        async trade(wish) {
          traded.push(wish);
          return { status: "accepted", orderId: 7, replayed: true };
        },
      },
    });
    const answer = await watched.post("/orders", trade, { "x-request-id": "request-1" });
    await watched.post("/orders", trade);
    await watched.post("/orders", trade, { "idempotency-key": "mine" });
    const [first, second, third] = traded;
    expect(first).toEqual({ ...trade, key: expect.stringMatching(/^[0-9a-f-]{36}$/), requestId: "request-1" });
    expect(second?.key).not.toBe(first?.key);
    expect(third?.key).toBe("mine");
    // The front-end's own retry may have found the first outcome: the client made only one request.
    expect(answer.headers).not.toHaveProperty("idempotent-replayed");
    await watched.close();
  });
});

test("a key is marked as minted only if the front-end made it for this request", async () => {
  const asked: [key: string, minted: boolean][] = [];
  const listening = client.beside({
    changes: {
      trade(wish: Trade, minted) {
        asked.push([wish.key, minted]);
        return client.bazaar.trade(wish, minted);
      },
    },
  });
  const given = crypto.randomUUID();
  // A client may repeat its own request id, so that is never the key of a trade.
  await listening.post("/orders", trade, { "x-request-id": given });
  await listening.post("/orders", trade, { "x-request-id": given });
  await listening.post("/orders", trade, { "idempotency-key": given });
  expect(asked.map(([, minted]) => minted)).toEqual([true, true, false]);
  expect(new Set(asked.map(([key]) => key)).size).toBe(3);
});

test("the id of a request that has neither a key nor an id is the key of its trade", async () => {
  const before = await quantityOf(client, "GameStart");
  const first = await client.post("/orders", trade);
  const again = await client.post("/orders", trade, { "idempotency-key": first.headers["x-request-id"] ?? "" });
  expect(again.text).toBe(first.text);
  expect(again.headers["idempotent-replayed"]).toBe("true");
  expect(await quantityOf(client, "GameStart")).toBe(before - 1);
});
