/** How few replicas are enough, and what a client hears when there are fewer. */

import { describe, expect, test } from "vitest";
import { at, get, newTrade, orderNumber, trade } from "./support/client.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants, openCopies, ordersByKey } from "./support/invariants.ts";
import { Traffic } from "./support/traffic.ts";
import { eventually } from "./support/wait.ts";

/** Short, for the tests that wait until it has passed. */
const requestTimeoutMs = "1500";

test("with two of three replicas killed under load the third trades on; all come back as its followers", async (context) => {
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

describe.concurrent("too few replicas", () => {
  test("with no replica left: 503 with Retry-After; when one is back, a retry with the same key trades once", async (context) => {
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
    const accepted = await trade(cluster.url, request);
    const repeated = await trade(cluster.url, request);
    expect(accepted.status).toBe(200);
    expect(repeated.body).toEqual(accepted.body);
    expect(ordersByKey(cluster, [request.key])).toEqual([
      { id: orderNumber(accepted.body), key: request.key, type: "sell", quantity: 5 },
    ]);
    await traffic.more(100);
    cluster.startAll();
    await cluster.settled();
    await traffic.stop();
    expect(await cluster.leader()).toBe(1);
    await expectInvariants(cluster, { records: traffic.records });
  });

  test("ORDER_MIN_COPIES=2 with one live replica: 503; with a second one back, the retry gives exactly one order", async (context) => {
    const environment = { ORDER_MIN_COPIES: "2", REQUEST_TIMEOUT_MS: requestTimeoutMs };
    const cluster = await Cluster.start(context, { environment });
    await Promise.all([cluster.order(1).kill(), cluster.order(2).kill()]);
    const request = newTrade({ quantity: 5 });
    const refused = await trade(cluster.url, request);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).not.toBeNull();

    cluster.order(1).start();
    await cluster.settled();
    const accepted = await trade(cluster.url, request);
    expect(accepted.status).toBe(200);
    expect((await trade(cluster.url, request)).body).toEqual(accepted.body);
    expect(ordersByKey(cluster, [request.key])).toHaveLength(1);
    await expectInvariants(cluster, { minCopies: 2 });
  });

  test("ORDER_MIN_COPIES=2 with both followers frozen: nothing is acknowledged before a second disk has it", async (context) => {
    const environment = { ORDER_MIN_COPIES: "2", REQUEST_TIMEOUT_MS: requestTimeoutMs };
    const cluster = await Cluster.start(context, { environment });
    cluster.order(1).freeze();
    cluster.order(2).freeze();
    const request = newTrade({ quantity: 5 });
    expect((await trade(cluster.url, request)).status).toBe(503);

    cluster.order(2).thaw();
    await eventually("a second live replica", async () => {
      const replicas: unknown = at((await get(`${cluster.url}/cluster`)).body, "data", "replicas");
      return Array.isArray(replicas) && replicas.some((state) => String(at(state, "live_followers")) === "2");
    });
    const accepted = await trade(cluster.url, request);
    expect(accepted.status).toBe(200);
    expect(ordersByKey(cluster, [request.key])).toHaveLength(1);
    cluster.order(1).thaw();
    await expectInvariants(cluster, { minCopies: 2 });
  });
});

test("at the moment of every reply the order is on ORDER_MIN_COPIES disks, also while replicas die", async (context) => {
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
