/** Followers that miss orders: they catch up while more arrive, and delay trades only briefly. */

import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { get } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

test("a follower that was away for 10,000 orders catches up while orders arrive", async (context) => {
  const cluster = await Cluster.start(context);
  await cluster.order(1).kill();
  const traffic = new Traffic({ urls: cluster.urls, clients: 64 });
  await traffic.more(10_000);
  cluster.order(1).start();
  await cluster.settled();
  await traffic.more(200);
  await traffic.stop();

  expect(traffic.failures).toEqual([]);
  await eventually("the follower logs how many orders it has fetched", () =>
    cluster.order(1).lines.some((line) => /"orders":\d{5,},.*"caught up"/.test(line)),
  );
  await expectInvariants(cluster, { records: traffic.records });
});

test("a replica with a new database catches up with all orders", async (context) => {
  const cluster = await Cluster.create(context);
  for (const name of cluster.names) if (name !== "order-2") cluster.service(name).start();
  await cluster.settled();
  const traffic = new Traffic({ urls: cluster.urls, clients: 32 });
  await traffic.more(1500);
  cluster.order(2).start();
  await cluster.settled();
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("a frozen follower delays trades without stopping them, and catches up when it resumes", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 32 });
  await traffic.more(300);
  cluster.order(1).freeze();
  await eventually("the frozen follower is dropped from the live set", async () => {
    const replicas: unknown = at((await get(`${cluster.url}/cluster`)).body, "data", "replicas");
    return Array.isArray(replicas) && replicas.some((state) => String(at(state, "live_followers")) === "2");
  });
  await traffic.more(1000);
  cluster.order(1).thaw();
  await cluster.settled();
  await traffic.more(300);
  await traffic.stop();

  report("SIGSTOP of a follower", traffic);
  expect(traffic.failures).toEqual([]);
  expect(await cluster.leader()).toBe(3);
  await expectInvariants(cluster, { records: traffic.records });
});
