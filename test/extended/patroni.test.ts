/**
 * PostgreSQL fails over under Patroni while clients trade: three nodes in strict synchronous mode, and the primary's dies or
 * freezes. No time is asserted; each outage is printed.
 */

import { staleReads } from "@stock-bazaar/chaos/checks/history";
import { allOrders, readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { mixedTrades, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { BazaarClient, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { eventually } from "@stock-bazaar/cluster/wait";
import { verify } from "@stock-bazaar/db/recovery/verify";
import { expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { report } from "../e2e/support/report.ts";
import { KeylessTraffic } from "./patroni/keyless-traffic.ts";
import { type Part, PatroniNodes, whyNotPatroni } from "./patroni/nodes.ts";

const whyNot = whyNotPatroni();
const timeoutMs = 300_000;
/** Above the longest outage: a node that vanishes keeps the lead for its TTL of 20 s. */
const patientMs = 40_000;
/** Below every outage. */
const impatientMs = 1000;
const stocks = ["GameStart", "FishCo", "BoarCo"];

interface Scenario {
  readonly title: string;
  readonly part: Part;
  readonly signal: "SIGKILL" | "SIGSTOP";
  readonly catalogs: number;
}

const scenarios: readonly Scenario[] = [
  { title: "the primary is killed", part: "PostgreSQL", signal: "SIGKILL", catalogs: 1 },
  { title: "the primary freezes, and wakes later", part: "PostgreSQL", signal: "SIGSTOP", catalogs: 1 },
  { title: "the primary's node dies, with two catalogs", part: "node", signal: "SIGKILL", catalogs: 2 },
  {
    title: "the primary's node freezes, and wakes later, with two catalogs",
    part: "node",
    signal: "SIGSTOP",
    catalogs: 2,
  },
];

test.for(scenarios)(
  "$title: no request fails, nothing is lost, doubled or stale",
  { timeout: timeoutMs },
  async (scenario, context) => {
    if (whyNot !== undefined) context.skip(whyNot);
    const { title, part, signal, catalogs } = scenario;
    const { nodes, cluster } = await start(context, { catalogs, frontEnds: 2, requestTimeoutMs: patientMs });
    const reading = new Readers({ urls: cluster.urls, clients: 8, stocks, pauseMs: 5 });
    const observe = ({ orderNumber, request }: TradeRecord) => {
      if (orderNumber !== undefined) for (const url of cluster.urls) reading.lookUpNow(url, request.name);
    };
    const traffic = new Traffic({ urls: cluster.urls, clients: 16, next: mixedTrades(stocks), observe });
    const more = () => traffic.more(200, { timeoutMs: 2 * patientMs });
    await more();

    const primary = await nodes.primary();
    const later = await nodes.signal(primary, part, signal);
    await more();
    expect(await nodes.primary()).not.toBe(primary);
    if (signal === "SIGSTOP") {
      later("SIGCONT");
      await more();
      // Connects anew while the old primary may still believe that it is one.
      await cluster.service("catalog").kill();
      cluster.service("catalog").start();
    }
    if (signal === "SIGSTOP" || part === "PostgreSQL") await nodes.whole();
    await more();

    await cluster.settled();
    await Promise.all([traffic.stop(), reading.stop()]);
    report(title, traffic);
    expect(traffic.failures).toEqual([]);
    expect(reading.failures).toEqual([]);
    const { records } = traffic;
    expect(staleReads(reading.lookups, records, await readLedger(cluster), cluster.initialQuantities)).toEqual([]);
    await expectSound(cluster, records);
  },
);

test("below the outage each request gets 503 with its key, and the retry trades once", {
  timeout: timeoutMs,
}, async (context) => {
  if (whyNot !== undefined) context.skip(whyNot);
  const { nodes, cluster } = await start(context, { catalogs: 1, frontEnds: 1, requestTimeoutMs: impatientMs });
  const traffic = new KeylessTraffic(cluster.url, 16);
  const isThere = async (status: number, count: number) =>
    eventually(`${count} replies with ${status}`, () => traffic.count(status) >= count, { timeoutMs: 2 * patientMs });
  await isThere(200, 100);
  const later = await nodes.signal(await nodes.primary(), "node", "SIGSTOP");
  await isThere(503, 32);
  await isThere(200, traffic.count(200) + 100);
  later("SIGCONT");
  await traffic.stop();
  const { records } = traffic;
  const unknown = records.filter(({ status }) => status !== 200);
  expect(unknown.filter(({ status, request: { key } }) => status !== 503 || key === "")).toEqual([]);

  await cluster.settled();
  const client = new BazaarClient({ urls: cluster.urls });
  const retried: TradeRecord[] = [];
  for (const { request } of unknown) retried.push(await client.trade(request));
  client.close();
  process.stdout.write(
    `requests that get 503: ${records.length} trades, ${unknown.length} without an outcome, ` +
      `of which ${retried.filter(({ replayed }) => replayed).length} had been done\n`,
  );
  expect(retried.filter(({ status }) => status !== 200)).toEqual([]);
  await expectSound(cluster, [...records, ...retried]);
  const keys = (await allOrders(cluster)).map(({ key }) => key);
  expect(keys.toSorted()).toEqual(records.map(({ request: { key } }) => key).toSorted());
});

async function start(
  context: TestContext,
  options: { readonly catalogs: number; readonly frontEnds: number; readonly requestTimeoutMs: number },
) {
  const { catalogs, frontEnds, requestTimeoutMs } = options;
  const nodes = await PatroniNodes.start();
  const environment = {
    LEDGER_URL: nodes.url,
    LEDGER_FAILOVER: "1",
    REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
    BAZAAR_TEST_LEDGER: "",
  };
  return { nodes, cluster: await Cluster.start(context, { catalogs, frontEnds, environment }) };
}

async function expectSound(cluster: Cluster, records: readonly TradeRecord[]): Promise<void> {
  await expectInvariants(cluster, { records });
  const { dataDir, ledger, replicaIds } = cluster;
  const replicas = new Map(replicaIds.map((id) => [id, { host: "", port: 0 }]));
  const checks = await verify({ dataDir, ledgerUrl: ledger.ledgerUrl, replicas });
  expect(checks.map(({ promise, outcome }) => `${promise} ${outcome}`)).toEqual([
    "I1 kept",
    "I2 kept",
    "I3 kept",
    "I3 kept",
    "I3 kept",
  ]);
}
