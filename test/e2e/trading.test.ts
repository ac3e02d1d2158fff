/** The path of a lookup and of a trade through real processes, without faults. */

import { revOfTag } from "@stock-bazaar/contract/stock-tag";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { orderNumber } from "@stock-bazaar/client/requests";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { get, lookUp, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

let cluster: Cluster;
Cluster.share((shared) => (cluster = shared), { environment: { LOG_LEVEL: "debug" } });

test("a trade changes the stock, gets the next order number, and can be read by it", async () => {
  const before = at((await lookUp(cluster.url, "FishCo")).body, "data", "quantity");
  const first = orderNumber((await trade(cluster.url, newTrade({ name: "FishCo", type: "buy", quantity: 7 }))).body);
  const { status, body } = await trade(cluster.url, newTrade({ name: "FishCo", type: "sell", quantity: 2 }));
  expect({ status, body }).toEqual({ status: 200, body: { data: { transaction_number: Number(first) + 1 } } });

  expect((await lookUp(cluster.url, "FishCo")).body).toEqual({
    data: { name: "FishCo", price: 8.5, quantity: Number(before) - 5 },
  });
  expect((await get(`${cluster.url}/orders/${first}`)).body).toEqual({
    data: { number: first, name: "FishCo", type: "buy", quantity: 7 },
  });
  const { body: list } = await get(`${cluster.url}/orders?limit=1`);
  expect(at(list, "data")).toEqual([
    {
      number: Number(first) + 1,
      name: "FishCo",
      type: "sell",
      quantity: 2,
      price: 8.5,
      created_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
    },
  ]);
  await expectInvariants(cluster);
});

test("a trade that can't be executed is rejected, changes nothing, and stays rejected under its key", async () => {
  const before = await lookUp(cluster.url, "BoarCo");
  const tooMany = newTrade({ name: "BoarCo", type: "buy", quantity: 101 });
  const unknown = newTrade({ name: "NoSuchStock" });
  const rejections = [
    {
      request: tooMany,
      status: 400,
      message: "Available quantity to buy is less than requested quantity",
      reason: "INSUFFICIENT_QUANTITY",
    },
    { request: unknown, status: 404, message: "stock not found", reason: "INVALID_STOCKNAME" },
  ];
  for (const { request, status: code, message, reason } of rejections) {
    const { status, body, headers } = await trade(cluster.url, request);
    expect({ status, body }).toEqual({ status: code, body: { error: { code, message, reason } } });
    expect(headers.get("idempotent-replayed")).toBeNull();
  }
  await trade(cluster.url, newTrade({ name: "BoarCo", type: "sell", quantity: 50 }));
  const again = await trade(cluster.url, tooMany);
  expect(again.status).toBe(400);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  await trade(cluster.url, newTrade({ name: "BoarCo", type: "buy", quantity: 50 }));
  expect((await lookUp(cluster.url, "BoarCo")).body).toEqual(before.body);
  expect((await lookUp(cluster.url, "NoSuchStock")).status).toBe(404);
  expect((await get(`${cluster.url}/orders/999999`)).status).toBe(404);
  await expectInvariants(cluster);
});

test("the same key sent twice gives one order, and is refused with another request", async () => {
  const request = newTrade({ name: "MenhirCo", type: "buy", quantity: 3 });
  const first = await trade(cluster.url, request);
  const second = await trade(cluster.url, request);
  expect(first.headers.get("idempotent-replayed")).toBeNull();
  expect(second.headers.get("idempotent-replayed")).toBe("true");
  expect(second.body).toEqual(first.body);

  const { status, body } = await trade(cluster.url, { ...request, quantity: 4 });
  expect(status).toBe(422);
  expect(body).toEqual({
    error: { code: 422, message: "Idempotency-Key was used with a different request", reason: "KEY_REUSED" },
  });
  expect(at((await lookUp(cluster.url, "MenhirCo")).body, "data", "quantity")).toBe(97);
  await expectInvariants(cluster);
});

test("a lookup is served from the cache, and shows a trade and another ETag as soon as the trade is acknowledged", async () => {
  const uses = async () => (await lookUp(cluster.url, "HarborRope")).headers.get("x-cache");
  expect(await uses()).toBe("miss");
  expect(await uses()).toBe("hit");
  const tag = (await lookUp(cluster.url, "HarborRope")).headers.get("etag") ?? "";
  expect((await get(`${cluster.url}/stocks/HarborRope`, { "if-none-match": tag })).status).toBe(304);

  const number = orderNumber((await trade(cluster.url, newTrade({ name: "HarborRope", type: "buy" }))).body);
  const changed = await get(`${cluster.url}/stocks/HarborRope`, { "if-none-match": tag });
  expect(changed.status).toBe(200);
  // The only front-end replaces the stock in its cache instead of evicting it.
  expect(changed.headers.get("x-cache")).toBe("hit");
  expect(revOfTag(changed.headers.get("etag"))).toBe(number);
  expect(at(changed.body, "data", "quantity")).toBe(99);
});

test("every process logs a trade with its request id or its key", async () => {
  const request = newTrade({ name: "FishCo", type: "sell" });
  const { status, headers } = await trade(cluster.url, request);
  const requestId = headers.get("x-request-id") ?? "";
  expect({ status, requestId }).toEqual({ status: 200, requestId: expect.stringMatching(/^\S+$/) });
  for (const name of cluster.names) {
    const mark = name === "order-1" || name === "order-2" ? request.key : requestId;
    await eventually(`${name} has logged it`, async () =>
      cluster.service(name).lines.some((line) => line.includes(mark)),
    );
  }
});

test("after 64 clients trade at once, the replicas are equal and the ledger explains every unit", async () => {
  const traffic = new Traffic({ urls: cluster.urls, clients: 64 });
  await traffic.more(2000);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  expect(traffic.records.some(({ reason }) => reason === "INSUFFICIENT_QUANTITY")).toBe(true);
  await expectInvariants(cluster, { records: traffic.records });
});
