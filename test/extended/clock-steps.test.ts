/** The wall clock is set back an hour and forward a year while a bazaar trades: Debian's faketime shifts it for its processes. */

import { existsSync, globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mixedTrades, seededStocks, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { at } from "@stock-bazaar/shared/json";
import { expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { lookUp, newTrade, trade } from "../support/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
/** In seconds: an hour back, a year on, and right again. */
const steps = ["-3600", "+31536000", "+0"];
const stock = "GameStart";

/** The variables of a process whose wall clock is off by as many seconds as the file says. The monotonic clock is not shifted. */
function clockOf(file: string): Record<string, string> {
  writeFileSync(file, "+0\n");
  return {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
}

function requireFaketime(context: TestContext): void {
  if (library === undefined || !existsSync(library)) context.skip("the Debian package faketime must be installed");
}

/** Sells through one front-end, and looks up through the other: what was told must show at once. */
async function expectFresh({ urls: [one = "", other = ""] }: Cluster): Promise<void> {
  const quantity = async (url: string) => Number(at((await lookUp(url, stock)).body, "data", "quantity"));
  let left = await quantity(one);
  for (let count = 0; count < 10; count += 1) {
    expect((await trade(count % 2 ? one : other, newTrade({ name: stock, type: "sell" }))).status).toBe(200);
    left += 1;
    expect([await quantity(one), await quantity(other)]).toEqual([left, left]);
  }
}

test("all clocks are set back, forward and right again under load: nothing fails, is stale, lost or doubled", async (context) => {
  requireFaketime(context);
  const file = join(temporaryFolder(), "offset");
  const cluster = await Cluster.start(context, { frontEnds: 2, environment: clockOf(file) });
  const traffic = new Traffic({
    urls: cluster.urls,
    clients: 8,
    next: mixedTrades(seededStocks.filter((name) => name !== stock)),
  });
  const repeated = newTrade();
  const { body } = await trade(cluster.url, repeated);
  for (const seconds of steps) {
    await traffic.more(100);
    writeFileSync(file, `${seconds}\n`);
    await traffic.more(100);
    await expectFresh(cluster);
    expect((await trade(cluster.url, repeated)).body).toEqual(body);
    await cluster.order(3).kill();
    await traffic.more(50);
    cluster.order(3).start();
    await cluster.settled();
  }
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
});

test.for(["front-end-1", "order-3", "catalog"])(
  "only the clock of %s is wrong: nothing fails or is stale",
  async (name, context) => {
    requireFaketime(context);
    const cluster = await Cluster.start(context, { frontEnds: 2 });
    const file = join(temporaryFolder(), "offset");
    await cluster.service(name).stop();
    cluster.service(name).start({ environment: clockOf(file) });
    await cluster.ready(1);
    const traffic = new Traffic({
      urls: cluster.urls,
      clients: 8,
      next: mixedTrades(seededStocks.filter((other) => other !== stock)),
    });
    for (const seconds of steps) {
      await traffic.more(100);
      writeFileSync(file, `${seconds}\n`);
      await expectFresh(cluster);
      await traffic.more(100);
    }
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
  },
);
