/** The leader dies or freezes while 64 clients trade: they see only slower replies. */

import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { get, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const clients = 64;

test("kill -9 of the leader under load: no request fails, no order is lost or doubled, the next highest id leads", async (context) => {
  const cluster = await Cluster.start(context);
  expect(await cluster.leader()).toBe(3);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(1000);

  await cluster.order(3).kill();
  await cluster.leaderIs(2);
  await traffic.more(1000);
  cluster.order(3).start();
  await cluster.settled();
  await traffic.more(500);
  expect(await cluster.leader()).toBe(2);
  await traffic.stop();

  report("kill -9 of the leader", traffic);
  expect(traffic.failures).toEqual([]);
  expect(traffic.longestSilenceMs).toBeLessThan(10_000);
  await expectInvariants(cluster, { records: traffic.records });
  await expectOrdersFound(cluster, traffic);
  expect(await cluster.leader()).toBe(2);
});

test("a leader frozen under load is replaced while orders are still found; when it resumes, it follows and corrupts nothing", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(1000);

  cluster.order(3).freeze();
  expect((await get(`${cluster.url}/orders/1`)).status).toBe(200);
  await cluster.leaderIs(2);
  await traffic.more(1000);
  cluster.order(3).thaw();
  await cluster.settled();
  await traffic.more(500);
  expect(await cluster.leader()).toBe(2);
  await traffic.stop();

  report("SIGSTOP of the leader", traffic);
  expect(traffic.failures).toEqual([]);
  expect(traffic.longestSilenceMs).toBeLessThan(10_000);
  await expectInvariants(cluster, { records: traffic.records });
  await expectOrdersFound(cluster, traffic);
  await eventually("the resumed replica reports that it follows", async () => {
    const { body } = await get(`${cluster.url}/cluster`);
    const replicas: unknown = at(body, "data", "replicas");
    return (
      Array.isArray(replicas) && replicas.some((state) => at(state, "id") === 3 && at(state, "role") === "follower")
    );
  });
});

test("a leader that was replaced while frozen, without a hint from a front-end, detects it without a trade", async (context) => {
  const cluster = await Cluster.start(context);
  const before = await trade(cluster.url, newTrade({ type: "sell" }));
  expect(before.status).toBe(200);
  await cluster.service("front-end-1").kill();
  cluster.order(3).freeze();
  // A new front-end has no connection to the frozen one on which a hint could wait.
  cluster.service("front-end-1").start();
  await cluster.leaderIs(2);
  expect((await trade(cluster.url, newTrade({ type: "sell" }))).status).toBe(200);
  cluster.order(3).thaw();
  await cluster.settled();
  expect(await cluster.leader()).toBe(2);
  await expectInvariants(cluster);
});

test("a replica that missed orders and leads alone serves only when it holds every order of the ledger", async (context) => {
  const cluster = await Cluster.start(context);
  await Promise.all([cluster.order(1).kill(), cluster.order(2).kill()]);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(1000);
  await traffic.stop();
  await cluster.order(3).kill();
  cluster.order(1).start();
  await cluster.leaderIs(1);

  const newest = Math.max(...traffic.accepted.map(({ orderNumber }) => orderNumber ?? 0));
  const { body } = await get(`${cluster.url}/orders?limit=1`);
  expect(at(body, "data", "0", "number")).toBe(newest);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

/** Expects I7 for a sample of the acknowledged orders: each is found. */
async function expectOrdersFound(cluster: Cluster, traffic: Traffic): Promise<void> {
  const step = Math.ceil(traffic.accepted.length / 50);
  for (const { request, orderNumber } of traffic.accepted.filter((_, index) => index % step === 0)) {
    const { name, type, quantity } = request;
    const { status, body } = await get(`${cluster.url}/orders/${orderNumber}`);
    expect({ status, body }).toEqual({ status: 200, body: { data: { number: orderNumber, name, type, quantity } } });
  }
}
