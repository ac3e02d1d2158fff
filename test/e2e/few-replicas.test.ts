/** The fewest replicas with which a bazaar trades, and the replies to clients when there are fewer. */

import { openCopies, ordersByKey } from "@stock-bazaar/chaos/checks/snapshot";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { orderNumber, type TradeRequest } from "@stock-bazaar/client/requests";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { get, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

/** Short, because some tests wait for it. */
const requestTimeoutMs = "1500";

test("with two of three replicas killed under load, the third keeps trading, and the others return as its followers", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 32 });
  await traffic.more(300);
  await Promise.all([cluster.order(3).kill(), cluster.order(1).kill()]);
  await cluster.leaderIs(2);
  await traffic.more(500);
  cluster.startAll();
  await cluster.settled();
  await traffic.more(300);
  await traffic.stop();

  expect(traffic.failures).toEqual([]);
  expect(await cluster.leader()).toBe(2);
  await expectInvariants(cluster, { records: traffic.records });
});

test("with no replica left, trades get 503 with Retry-After; when one is back, a retry with the same key trades once", async (context) => {
  const cluster = await Cluster.start(context, { environment: { REQUEST_TIMEOUT_MS: requestTimeoutMs } });
  const traffic = new Traffic({ urls: cluster.urls, clients: 8, persistent: true });
  await traffic.more(100);
  await Promise.all(cluster.replicaIds.map((id) => cluster.order(id).kill()));

  const request = newTrade({ quantity: 5 });
  const refused = await trade(cluster.url, request);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  expect(refused.body).toEqual({
    error: {
      code: 503,
      message: "Stock could not be traded: no answer in time; retry with the same Idempotency-Key",
      reason: "UNAVAILABLE",
    },
  });
  expect((await get(`${cluster.url}/readyz`)).status).toBe(503);
  expect((await get(`${cluster.url}/stocks/GameStart`)).status).toBe(200);

  cluster.order(1).start();
  await cluster.leaderIs(1);
  await expectOneOrder(cluster, request);
  await traffic.more(100);
  cluster.startAll();
  await cluster.settled();
  await traffic.stop();
  expect(await cluster.leader()).toBe(1);
  await expectInvariants(cluster, { records: traffic.records });
});

test("ORDER_MIN_COPIES=2 with all followers frozen or dead: 503; when one is back, a retry gives one order", async (context) => {
  const environment = { ORDER_MIN_COPIES: "2", REQUEST_TIMEOUT_MS: requestTimeoutMs };
  const cluster = await Cluster.start(context, { environment });
  cluster.order(1).freeze();
  cluster.order(2).freeze();
  // The leader may still consider both live when the trade arrives: if it is decided, it must not be acknowledged.
  const whileFrozen = newTrade({ quantity: 5 });
  expect((await trade(cluster.url, whileFrozen)).status).toBe(503);
  cluster.order(2).thaw();
  await expectOneOrder(cluster, whileFrozen);

  await Promise.all([cluster.order(1).kill(), cluster.order(2).kill()]);
  const whileDead = newTrade({ quantity: 6 });
  const refused = await trade(cluster.url, whileDead);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  cluster.order(1).start();
  await expectOneOrder(cluster, whileDead);
  cluster.order(2).start();
  await expectInvariants(cluster, { minCopies: 2 });
});

test("at every reply the order is on ORDER_MIN_COPIES disks, also while replicas die", async (context) => {
  const cluster = await Cluster.start(context, { environment: { ORDER_MIN_COPIES: "2" } });
  const copies = openCopies(cluster);
  context.onTestFinished(() => copies.close());
  const tooFew: number[] = [];
  const traffic = new Traffic({
    urls: cluster.urls,
    clients: 16,
    observe: ({ orderNumber: number }) => {
      if (number !== undefined && copies.of(number) < 2) tooFew.push(number);
    },
  });
  await traffic.more(300);
  await cluster.order(1).kill();
  await traffic.more(300);
  cluster.order(1).start();
  await cluster.settled();
  await cluster.order(3).kill();
  await cluster.leaderIs(2);
  await traffic.more(300);
  await traffic.stop();
  expect(tooFew).toEqual([]);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records, minCopies: 2 });
});

/** Retries with the same key until there is an answer, as the contract requires. Expects one order in the ledger. */
async function expectOneOrder(cluster: Cluster, request: TradeRequest): Promise<void> {
  const accepted = await eventually("an answer to the retry", async () => {
    const answer = await trade(cluster.url, request);
    return answer.status === 503 ? undefined : answer;
  });
  expect(accepted.status).toBe(200);
  expect((await trade(cluster.url, request)).body).toEqual(accepted.body);
  const { key, type, quantity } = request;
  expect(await ordersByKey(cluster, [key])).toEqual([{ id: orderNumber(accepted.body), key, type, quantity }]);
}
