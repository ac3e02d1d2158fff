/** Two catalogs on one ledger (R11): the active one dies or freezes under load, and the standby takes over. */

import { staleReads } from "@stock-bazaar/chaos/checks/history";
import { readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { longestSilenceMs, mixedTrades, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { newPostgresDatabase } from "../support/postgres.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const stocks = ["GameStart", "FishCo", "BoarCo"];
const catalogNames = ["catalog", "catalog-2"] as const;

/** The state of each catalog as a front-end sees it, by name. */
async function states(cluster: Cluster, frontEnd = 1): Promise<Record<string, string>> {
  const { catalogs = [] } = await askCluster(cluster.frontEndUrl(frontEnd));
  return Object.fromEntries(catalogs.map(({ state }, index) => [catalogNames[index], state]));
}

test("the active catalog is killed and frozen under load: no request fails, and no cache returns an old value", async (context) => {
  const ledgerUrl = await newPostgresDatabase();
  const cluster = await Cluster.start(context, {
    frontEnds: 2,
    catalogs: 2,
    environment: { LEDGER_URL: ledgerUrl, BAZAAR_TEST_LEDGER: "" },
  });
  const become = (active: string, other: string) =>
    eventually(`${active} is active`, async () => {
      const seen = await states(cluster);
      return seen[active] === "active" && seen[other] !== "active";
    });
  const begun = await states(cluster);
  const [active = "", standby = ""] = begun.catalog === "active" ? catalogNames : catalogNames.toReversed();
  expect(begun).toEqual({ [active]: "active", [standby]: "standby" });

  const reading = new Readers({ urls: cluster.urls, clients: 8, stocks, pauseMs: 5 });
  const observe = ({ orderNumber, request }: TradeRecord) => {
    if (orderNumber !== undefined) for (const url of cluster.urls) reading.lookUpNow(url, request.name);
  };
  const traffic = new Traffic({ urls: cluster.urls, clients: 16, next: mixedTrades(stocks), observe });
  await traffic.more(300);

  await cluster.service(active).kill();
  await traffic.more(300);
  await become(standby, active);
  cluster.service(active).start();
  await eventually(`${active} stands by`, async () => (await states(cluster))[active] === "standby");

  // Under load, it is mostly in the middle of a transaction.
  cluster.service(standby).freeze();
  await traffic.more(300);
  await become(active, standby);
  cluster.service(standby).thaw();
  await eventually(`${standby} stands by`, async () => (await states(cluster))[standby] === "standby");
  await traffic.more(300);
  for (const url of cluster.urls) await reading.moreHits(50, url);

  await Promise.all([traffic.stop(), reading.stop()]);
  report(
    `longest silence ${Math.round(longestSilenceMs(traffic.records))} ms, kill -9 and SIGSTOP of catalogs`,
    traffic,
  );
  expect(traffic.failures).toEqual([]);
  expect(reading.failures).toEqual([]);
  expect(staleReads(reading.lookups, traffic.records, await readLedger(cluster), cluster.initialQuantities)).toEqual(
    [],
  );
  await expectInvariants(cluster, { records: traffic.records });
});
