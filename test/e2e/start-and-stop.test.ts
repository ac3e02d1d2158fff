/** Services start in any order, and stop one by one or all at once without losing a request that they have accepted. */

import { ordersByKey } from "@stock-bazaar/chaos/checks/snapshot";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { describe, expect, test } from "vitest";
import { get, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const stopped = { code: 0, signal: null };

describe.concurrent("in any order", () => {
  test("a front-end that starts before its back ends waits for them, and answers a trade that arrived before", async (context) => {
    const cluster = await Cluster.create(context);
    cluster.service("front-end-1").start();
    await eventually("the front-end listens", async () => (await get(`${cluster.url}/healthz`)).status === 200);
    expect((await get(`${cluster.url}/readyz`)).status).toBe(503);
    const waiting = trade(cluster.url, newTrade({ type: "buy", quantity: 2 }));
    for (const id of cluster.replicaIds) cluster.order(id).start();
    cluster.service("catalog").start();
    expect((await waiting).status).toBe(200);
    await cluster.settled();
    expect(await cluster.leader()).toBe(3);
    await expectInvariants(cluster);
  });

  test("replicas that start before the catalog wait for it", async (context) => {
    const cluster = await Cluster.create(context);
    for (const id of cluster.replicaIds) cluster.order(id).start();
    await eventually("the replicas run", () =>
      cluster.replicaIds.every((id) => cluster.order(id).lines.some((line) => line.includes("listening"))),
    );
    cluster.service("catalog").start();
    cluster.service("front-end-1").start();
    await cluster.settled();
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await expectInvariants(cluster);
  });
});

test("services that listen on every address or on a name are reached at the configured one, also after a failover", async (context) => {
  const listenHosts = {
    catalog: "[::]",
    "order-1": "[::]",
    "order-2": "localhost",
    "order-3": "0.0.0.0",
    "front-end-1": "0.0.0.0",
    "front-end-2": "[::]",
  };
  const cluster = await Cluster.start(context, {
    listenHosts,
    frontEnds: 2,
    environment: { ALLOW_INSECURE: "1" },
  });
  for (const [name, host] of Object.entries(listenHosts)) {
    const isListening = (line: string) => line.includes("listening") && line.includes(host);
    await eventually(`${name} listens on ${host}`, () => cluster.service(name).lines.some(isListening));
  }
  const listed = async () => {
    const frontEnds = at((await get(`${cluster.url}/cluster`)).body, "data", "front_ends") as { address: string }[];
    return frontEnds.map(({ address }) => `http://${address}`).sort();
  };
  await eventually("both front-ends are listed with the address to dial", async () => {
    return (await listed()).join() === [...cluster.urls].sort().join();
  });

  const traffic = new Traffic({ urls: cluster.urls, clients: 8 });
  await traffic.more(100);
  await Promise.all([cluster.order(3).kill(), cluster.service("catalog").kill()]);
  cluster.startAll();
  await traffic.more(100);
  await cluster.settled();
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("SIGTERM of leader, follower and catalog under load: each exits with 0, no request fails", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 64 });
  await traffic.more(300);
  for (const name of ["order-3", "order-1", "catalog"]) {
    const exit = await cluster.service(name).stop();
    expect({ name, ...exit }).toEqual({ name, ...stopped });
    cluster.service(name).start();
    await traffic.more(300);
  }
  await cluster.settled();
  await traffic.stop();
  const handedOver = cluster.order(3).lines.find((line) => line.includes("handed the lead over"));
  expect(JSON.parse(handedOver ?? "{}")).toMatchObject({ leader: 2, term: 2 });
  report("SIGTERM of leader, follower and catalog", traffic);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("SIGTERM of the front-end under load: it exits with 0, and every order in the ledger was acknowledged", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 64 });
  await traffic.more(500);
  expect(await cluster.service("front-end-1").stop()).toEqual(stopped);
  await traffic.stop();

  const lost = traffic.failed.map(({ request }) => request.key);
  expect(await ordersByKey(cluster, lost)).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("a front-end that is stopped gives its lease back and is no longer listed", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const states = async () => {
    const listed = at((await get(`${cluster.url}/cluster`)).body, "data", "front_ends");
    return Array.isArray(listed) ? listed.map((frontEnd) => at(frontEnd, "state")).join() : "";
  };
  await eventually("both are listed", async () => (await states()) === "live,live");
  expect(await cluster.service("front-end-2").stop()).toEqual(stopped);
  // A front-end that died would be listed as away.
  await eventually("one is listed", async () => (await states()) === "live");
});

test("after everything is stopped at once, and after everything is killed at once, the bazaar trades again", async (context) => {
  // A front-end finishes the requests that it has accepted, and waits this long for back ends that have ended.
  const cluster = await Cluster.start(context, { environment: { REQUEST_TIMEOUT_MS: "1500" } });
  const traffic = new Traffic({ urls: cluster.urls, clients: 32, persistent: true });
  await traffic.more(300);
  const exits = await Promise.all(cluster.names.map(async (name) => [name, await cluster.service(name).stop()]));
  expect(exits).toEqual(cluster.names.map((name) => [name, stopped]));
  cluster.startAll();
  await cluster.settled();
  await traffic.more(300);
  await Promise.all(cluster.names.map((name) => cluster.service(name).kill()));
  cluster.startAll();
  await cluster.settled();
  await traffic.more(300);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});
