/** Bazaars with one to nine replicas, and restocks by the house. */

import { readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { describe, expect, test } from "vitest";
import { lookUp, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

test("a single replica leads, dies, restarts and leads again", async (context) => {
  const cluster = await Cluster.start(context, { replicas: 1 });
  const traffic = new Traffic({ urls: cluster.urls, clients: 16 });
  await traffic.more(200);
  await cluster.order(1).kill();
  cluster.order(1).start();
  await traffic.more(200);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

describe.each([2, 9])("%i replicas", (replicas) => {
  test("the highest id leads, the next one takes over, and all replicas end equal", async (context) => {
    const cluster = await Cluster.start(context, { replicas });
    expect(await cluster.leader()).toBe(replicas);
    const traffic = new Traffic({ urls: cluster.urls, clients: 16 });
    await traffic.more(200);
    await cluster.order(replicas).kill();
    await cluster.leaderIs(replicas - 1);
    await traffic.more(200);
    cluster.order(replicas).start();
    await cluster.settled();
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(await cluster.leader()).toBe(replicas - 1);
    await expectInvariants(cluster, { records: traffic.records });
  });
});

test("a stock at zero is restocked by an order of the house, which every replica holds", async (context) => {
  const cluster = await Cluster.start(context, {
    environment: { RESTOCK_INTERVAL_MS: "100", RESTOCK_QUANTITY: "50" },
  });
  const buyOut = newTrade({ name: "TinWhistle", type: "buy", quantity: 100 });
  expect((await trade(cluster.url, buyOut)).status).toBe(200);
  await eventually("the stock is restocked", async () => {
    const { body } = await lookUp(cluster.url, "TinWhistle");
    return at(body, "data", "quantity") === 50;
  });
  expect(await readLedger(cluster)).toEqual([
    { id: 1, name: "TinWhistle", type: "buy", quantity: 100 },
    { id: 2, name: "TinWhistle", type: "restock", quantity: 50 },
  ]);

  const buyEverything = (number: number) => ({
    name: number % 2 === 0 ? "FishCo" : "BoarCo",
    type: "buy" as const,
    quantity: 10,
  });
  const traffic = new Traffic({ urls: cluster.urls, clients: 8, next: buyEverything });
  await traffic.more(30);
  await cluster.order(3).kill();
  await traffic.more(30);
  cluster.order(3).start();
  await cluster.settled();
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  // Without restocks the two stocks would have lasted for 20 trades.
  expect((await readLedger(cluster)).filter(({ type }) => type === "restock").length).toBeGreaterThan(4);
  await expectInvariants(cluster, { records: traffic.records });
});
