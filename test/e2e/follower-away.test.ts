/** Followers that miss orders: they catch up while more arrive, and delay no trade. */

import { openCopies } from "@stock-bazaar/chaos/checks/snapshot";
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

test("frozen followers delay no trade: the leader's copy is enough, and they catch up when they resume", async (context) => {
  const cluster = await Cluster.start(context);
  const copies = openCopies(cluster);
  context.onTestFinished(() => copies.close());
  const copiesAtReply: number[] = [];
  const traffic = new Traffic({
    urls: cluster.urls,
    clients: 32,
    observe: ({ orderNumber }) => {
      if (orderNumber !== undefined) copiesAtReply.push(copies.of(orderNumber));
    },
  });
  await traffic.more(300);
  for (const id of [1, 2]) cluster.order(id).freeze();
  // From here on, whatever still was on its way to a follower has been answered.
  await traffic.more(300);
  const whileFrozen = copiesAtReply.length;
  await traffic.more(1000);
  expect(new Set(copiesAtReply.slice(whileFrozen))).toEqual(new Set([1]));
  await eventually("the leader reports no live follower", async () => {
    const replicas: unknown = at((await get(`${cluster.url}/cluster`)).body, "data", "replicas");
    const leading: unknown = Array.isArray(replicas) ? replicas.find((state) => at(state, "id") === 3) : undefined;
    return JSON.stringify(at(leading, "live_followers")) === "[]";
  });
  for (const id of [1, 2]) cluster.order(id).thaw();
  await cluster.settled();
  await traffic.more(300);
  await traffic.stop();

  report("SIGSTOP of both followers", traffic);
  expect(traffic.failures).toEqual([]);
  expect(await cluster.leader()).toBe(3);
  await expectInvariants(cluster, { records: traffic.records });
});
