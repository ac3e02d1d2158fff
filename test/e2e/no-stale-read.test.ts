/** Two front-ends with caches: once any client has received a change, no lookup returns an older value (I6). */

import { revOfTag } from "@stock-bazaar/contract/stock-tag";
import { staleReads } from "@stock-bazaar/chaos/checks/history";
import { readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { mixedTrades, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { orderNumber } from "@stock-bazaar/client/requests";
import { expect, test } from "vitest";
import { lookUp, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const stocks = ["GameStart", "FishCo", "BoarCo"];
const writers = 4;
/** Besides these readers, every acknowledged trade is followed by an immediate lookup: that is when a stale value shows. */
const readers = 12;
const readerPauseMs = 5;

/** Starts clients with few writers, so that the caches can serve between two changes. */
function startLoad(cluster: Cluster, urls: readonly string[] = cluster.urls) {
  const reading = new Readers({ urls: cluster.urls, clients: readers, stocks, pauseMs: readerPauseMs });
  const observe = ({ orderNumber, request }: TradeRecord) => {
    if (orderNumber !== undefined) for (const url of cluster.urls) reading.lookUpNow(url, request.name);
  };
  const traffic = new Traffic({ urls, clients: writers, next: mixedTrades(stocks), persistent: true, observe });
  return { traffic, reading };
}

async function expectNoStaleRead(cluster: Cluster, traffic: Traffic, reading: Readers): Promise<void> {
  await Promise.all([traffic.stop(), reading.stop()]);
  const hits = reading.lookups.filter(({ cache }) => cache === "hit").length;
  report(`${reading.lookups.length} lookups, ${hits} of them hits, beside`, traffic);
  expect(staleReads(reading.lookups, traffic.records, await readLedger(cluster), cluster.initialQuantities)).toEqual(
    [],
  );
  await expectInvariants(cluster, { records: traffic.records });
}

test("lookups through two front-ends return no stale quantity, also while the leader and the catalog die", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const { traffic, reading } = startLoad(cluster);
  await traffic.more(200);
  await cluster.order(3).kill();
  await traffic.more(100);
  await cluster.service("catalog").kill();
  cluster.service("catalog").start();
  await traffic.more(100);
  for (const url of cluster.urls) await reading.moreHits(100, url);
  await expectNoStaleRead(cluster, traffic, reading);
  expect(traffic.failures).toEqual([]);
  expect(reading.failures).toEqual([]);
});

test("a front-end that is killed -9 delays trades no longer than its lease, and restarts without stale stocks", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const { traffic, reading } = startLoad(cluster);
  await traffic.more(200);
  await reading.moreHits(50, cluster.frontEndUrl(2));
  await cluster.service("front-end-2").kill();
  await traffic.more(200);
  cluster.service("front-end-2").start();
  await reading.moreHits(50, cluster.frontEndUrl(2));
  await traffic.more(100);
  await expectNoStaleRead(cluster, traffic, reading);
  expect(traffic.failures).toEqual([]);
});

test("a front-end frozen for longer than its lease serves nothing stale when it resumes", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const [first = "", second = ""] = cluster.urls;
  const { traffic, reading } = startLoad(cluster, [first]);
  await reading.moreHits(50, second);
  await traffic.more(100);
  for (const name of cluster.initialQuantities.keys()) await lookUp(second, name);
  expect((await lookUp(second, "HarborRope")).headers.get("x-cache")).toBe("hit");

  cluster.service("front-end-2").freeze();
  // The trade is answered only when the lease of the frozen front-end has expired.
  const { body } = await trade(first, newTrade({ name: "HarborRope", type: "buy" }));
  await traffic.more(100);
  // These wait in the socket of the frozen process, so it answers them first.
  const waiting = Promise.all(Array.from({ length: 30 }, () => lookUp(second, "HarborRope")));
  cluster.service("front-end-2").thaw();
  for (const { headers } of await waiting) expect(revOfTag(headers.get("etag"))).toBe(orderNumber(body));
  await reading.moreHits(50, second);
  await expectNoStaleRead(cluster, traffic, reading);
  expect(traffic.failures).toEqual([]);
  expect(reading.failures).toEqual([]);
});
