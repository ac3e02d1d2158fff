/** The catalog stops and returns within the request timeout: clients see only slower replies. */

import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { get } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const clients = 64;

test("catalog killed -9 twice under load: no trade and no lookup fails", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(500);
  for (let round = 0; round < 2; round += 1) {
    await cluster.service("catalog").kill();
    const lookups = cluster.initialQuantities.keys().map((name) => get(`${cluster.url}/stocks/${name}`));
    const waiting = Promise.all(lookups);
    cluster.service("catalog").start();
    await traffic.more(500);
    expect((await waiting).map(({ status }) => status)).toEqual(Array.from(cluster.initialQuantities, () => 200));
  }
  await cluster.settled();
  await traffic.stop();

  report("kill -9 of the catalog, twice", traffic);
  expect(traffic.failures).toEqual([]);
  expect(await cluster.leader()).toBe(3);
  await expectInvariants(cluster, { records: traffic.records });
});

test("catalog frozen and resumed under load: no trade fails", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(500);
  cluster.service("catalog").freeze();
  await eventually("the front-end reports that it isn't ready", async () => {
    const { status } = await get(`${cluster.url}/readyz`);
    return status === 503;
  });
  cluster.service("catalog").thaw();
  await traffic.more(500);
  await traffic.stop();

  report("SIGSTOP of the catalog", traffic);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("the leader and the catalog die at once under load: no trade fails, none is lost or doubled", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(500);
  await Promise.all([cluster.service("catalog").kill(), cluster.order(3).kill()]);
  cluster.service("catalog").start();
  await cluster.leaderIs(2);
  await traffic.more(500);
  cluster.order(3).start();
  await cluster.settled();
  await traffic.stop();

  report("kill -9 of leader and catalog", traffic);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});
