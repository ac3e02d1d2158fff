/** Two catalogs on one ledger (R11): the active one dies or freezes under load, and the standby takes over. */

import { staleReads } from "@stock-bazaar/chaos/checks/history";
import { readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { longestSilenceMs, mixedTrades, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { eventually } from "@stock-bazaar/cluster/wait";
import { forTools } from "@stock-bazaar/ledger/postgres/connection-use";
import { connectTo } from "@stock-bazaar/ledger/postgres/hosts";
import { silentLogger } from "@stock-bazaar/process/log";
import type { CatalogApi } from "@stock-bazaar/shared/api";
import { connectCatalog } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { expect, test } from "vitest";
import { allStocks, callOf, tailRequestOf, tradeOf } from "../support/builders.ts";
import { rejectionCode } from "../support/observe.ts";
import { newPostgresDatabase } from "../support/postgres.ts";
import { recorder } from "../support/streams.ts";
import { Cluster, type TestHooks } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const stocks = ["GameStart", "FishCo", "BoarCo"];
const catalogNames = ["catalog", "catalog-2"] as const;

/** Two catalogs under load: trades, and after each of them lookups of its stock through every front-end. */
async function trading(context: TestHooks, next = mixedTrades(stocks)) {
  const ledgerUrl = await newPostgresDatabase();
  const cluster = await Cluster.start(context, {
    frontEnds: 2,
    catalogs: 2,
    environment: { LEDGER_URL: ledgerUrl, BAZAAR_TEST_LEDGER: "" },
  });
  /** The state of each catalog as a front-end sees it, by name. */
  const states = async (): Promise<Record<string, string>> => {
    const { catalogs = [] } = await askCluster(cluster.url);
    return Object.fromEntries(catalogs.map(({ state }, index) => [catalogNames[index], state]));
  };
  const become = (active: string, other: string) =>
    eventually(`${active} is active`, async () => {
      const seen = await states();
      return seen[active] === "active" && seen[other] !== "active";
    });
  const standsBy = (name: string) => eventually(`${name} stands by`, async () => (await states())[name] === "standby");
  const begun = await states();
  const [active = "", standby = ""] = begun.catalog === "active" ? catalogNames : catalogNames.toReversed();
  expect(begun).toEqual({ [active]: "active", [standby]: "standby" });

  const reading = new Readers({ urls: cluster.urls, clients: 8, stocks, pauseMs: 5 });
  const observe = ({ orderNumber, request }: TradeRecord) => {
    if (orderNumber !== undefined) for (const url of cluster.urls) reading.lookUpNow(url, request.name);
  };
  const traffic = new Traffic({ urls: cluster.urls, clients: 16, next, observe });
  await traffic.more(300);
  return { cluster, ledgerUrl, traffic, reading, active, standby, become, standsBy };
}

/** Ends the load: no request has failed, no lookup was stale, and nothing is lost or doubled. */
async function expectNothingBroken(what: string, begun: Awaited<ReturnType<typeof trading>>): Promise<void> {
  const { cluster, traffic, reading } = begun;
  for (const url of cluster.urls) await reading.moreHits(50, url);
  await Promise.all([traffic.stop(), reading.stop()]);
  report(`longest silence ${Math.round(longestSilenceMs(traffic.records))} ms, ${what}`, traffic);
  expect(traffic.failures).toEqual([]);
  expect(reading.failures).toEqual([]);
  expect(staleReads(reading.lookups, traffic.records, await readLedger(cluster), cluster.initialQuantities)).toEqual(
    [],
  );
  await expectInvariants(cluster, { records: traffic.records });
}

test("the active catalog is killed and frozen under load: no request fails, and no cache returns an old value", async (context) => {
  const begun = await trading(context);
  const { cluster, traffic, active, standby, become, standsBy } = begun;
  await cluster.service(active).kill();
  await traffic.more(300);
  await become(standby, active);
  cluster.service(active).start();
  await standsBy(active);

  cluster.service(standby).freeze();
  await traffic.more(300);
  await become(active, standby);
  cluster.service(standby).thaw();
  await standsBy(standby);
  await traffic.more(300);
  await expectNothingBroken("kill -9 and SIGSTOP of catalogs", begun);
});

test("the active catalog is frozen in the middle of a transaction: no request fails, and it answers nothing when it wakes", async (context) => {
  // A batch with a trade that is refused takes two round trips.
  const next = mixedTrades(stocks);
  const begun = await trading(context, (number) => ({
    ...next(number),
    ...(number % 4 === 0 && { name: "NoSuchCo" }),
  }));
  const { cluster, ledgerUrl, traffic, active, standby, become, standsBy } = begun;
  const { catalogs = [] } = await askCluster(cluster.url);
  const [host = "", port = ""] = catalogs[catalogNames.indexOf(active as "catalog")]?.address.split(":") ?? [];
  const direct = connectCatalog({ host, port: Number(port) }, 10_000, speakerOf("test", silentLogger));
  context.onTestFinished(() => direct.close());

  await freezeInTransaction(ledgerUrl, () => cluster.service(active).freeze());
  const asleep = refusals(direct);
  await traffic.more(300);
  await become(standby, active);
  cluster.service(active).thaw();
  for (const code of await asleep) expect(["NOT_ACTIVE", "STORAGE_UNAVAILABLE", "UNAVAILABLE"]).toContain(code);
  await standsBy(active);
  expect(new Set(await refusals(direct))).toEqual(new Set(["NOT_ACTIVE"]));
  const tail = recorder();
  direct.tail(tail).send(tailRequestOf("late", "hello"));
  await eventually("the late hello is refused", () => tail.ends.length > 0);
  expect(tail).toMatchObject({ messages: [], ends: ["NOT_ACTIVE"] });
  await traffic.more(300);
  await expectNothingBroken("SIGSTOP of a catalog that had locked the register", begun);
});

/** The codes with which each call is refused. */
function refusals(catalog: CatalogApi): Promise<string[]> {
  const write = { term: 1, last: undefined };
  const calls = [
    catalog.apply({ ...write, calls: [callOf(tradeOf("late"))] }),
    catalog.restock({ ...write, quantity: 9, after: "" }),
    catalog.lookup(["GameStart"]),
    catalog.stocks(allStocks),
    catalog.ordersAfter(0, 9),
    catalog.register(),
    catalog.acquire({ replica: 1, term: 1, last: undefined }),
  ];
  return Promise.all(calls.map(rejectionCode));
}

/**
 * Calls `freeze` while a transaction of the active catalog waits for the register's lock, so that it has the lock, idle, when
 * this returns.
 */
async function freezeInTransaction(ledgerUrl: string, freeze: () => void): Promise<void> {
  const [locking, watching] = [await connectTo(ledgerUrl, forTools), await connectTo(ledgerUrl, forTools)];
  const backends = (condition: string) =>
    watching.query<{ pid: number }>({
      text: `SELECT pid::bigint AS pid FROM pg_stat_activity WHERE datname = current_database() AND ${condition}`,
    });
  try {
    await eventually("a catalog was frozen while it held the register's lock", async () => {
      await locking.run("BEGIN; SELECT FROM register FOR UPDATE");
      const waits = () => backends("wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE'");
      const waiting = await eventually("a transaction waits", async () => (await waits()).rows[0], {
        timeoutMs: 200,
      }).catch(() => undefined);
      if (waiting) freeze();
      await locking.run("ROLLBACK");
      if (!waiting) return false;
      await eventually("it has the lock", async () => {
        const { rows } = await backends(`state = 'idle in transaction' AND pid = ${waiting.pid}`);
        return rows.length > 0;
      });
      return true;
    });
  } finally {
    await Promise.all([locking.close(), watching.close()]);
  }
}
