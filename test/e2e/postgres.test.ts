/** The ledger on PostgreSQL: the same services, with LEDGER_URL. */

import { existsSync } from "node:fs";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { verify } from "@stock-bazaar/db/recovery/verify";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { expect, test } from "vitest";
import { backendsOf, newPostgresDatabase } from "../support/postgres.ts";
import { Cluster, type TestHooks } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { report } from "./support/report.ts";

const clients = 64;

test("catalog and leader die under load: no trade fails, none is lost or doubled", async (context) => {
  const { cluster, traffic, ledgerUrl } = await trading(context);
  await cluster.service("catalog").kill();
  cluster.service("catalog").start();
  await traffic.more(500);
  await cluster.order(3).kill();
  await cluster.leaderIs(2);
  await traffic.more(500);
  cluster.order(3).start();
  await expectNothingLost("kill -9 of catalog and leader, on PostgreSQL", cluster, traffic);
  expect(existsSync(catalogFile(cluster.catalogFolder))).toBe(false);
  const { dataDir, replicaIds } = cluster;
  const replicas = new Map(replicaIds.map((id) => [id, { host: "", port: 0 }]));
  const checks = await verify({ dataDir, ledgerUrl, replicas });
  expect(checks.map(({ promise, outcome }) => `${promise} ${outcome}`)).toEqual([
    "I1 kept",
    "I2 kept",
    "I3 kept",
    "I3 kept",
    "I3 kept",
  ]);
});

test("the server freezes and crashes under load: no trade fails, none is lost or doubled", async (context) => {
  const { cluster, traffic, ledgerUrl } = await trading(context);
  const frozen = await backendsOf(ledgerUrl);
  for (const pid of frozen) process.kill(pid, "SIGSTOP");
  // Longer than the deadline of a query.
  await Bun.sleep(3000);
  for (const pid of frozen) process.kill(pid, "SIGCONT");
  await traffic.more(500);
  // PostgreSQL then ends every session, and recovers.
  const [one = 0] = await backendsOf(ledgerUrl);
  process.kill(one, "SIGKILL");
  await traffic.more(500);
  await expectNothingLost("SIGSTOP and crash of PostgreSQL", cluster, traffic);
  expect(cluster.service("catalog").newLines.join("\n")).not.toMatch(/"level":60/);
});

test("of two catalogs the second waits in vain, and the first goes on", async (context) => {
  const { cluster, traffic } = await trading(context);
  const [port] = await freePorts(1);
  const other = new Service("other", "apps/catalog/main.ts", {
    environment: { ...cluster.environment, CATALOG_LISTEN: `127.0.0.1:${port}` },
  });
  other.start();
  expect(await other.ended()).toMatchObject({ code: 2 });
  expect(other.lines.at(-1)).toMatch(
    /^LEDGER_URL must be a database that no other service uses .*: another service uses it, process \d+ on /,
  );
  await expectNothingLost("a second catalog", cluster, traffic);
});

async function trading(context: TestHooks) {
  const ledgerUrl = await newPostgresDatabase();
  const cluster = await Cluster.start(context, { environment: { LEDGER_URL: ledgerUrl } });
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(500);
  return { cluster, traffic, ledgerUrl };
}

async function expectNothingLost(what: string, cluster: Cluster, traffic: Traffic): Promise<void> {
  await cluster.settled();
  await traffic.stop();
  report(what, traffic);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
}
