/** PostgreSQL fails over under load: from a primary that is dead or frozen to its synchronous standby. */

import { startTemporaryPair } from "@stock-bazaar/bench/embedded-postgres";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { report } from "../e2e/support/report.ts";

const clients = 64;

test("the primary is killed and its standby promoted: no trade fails, none is lost or doubled", (context) =>
  failOver(context, "SIGKILL"));

test("a primary that was frozen wakes after its standby was promoted, and misleads nobody", (context) =>
  failOver(context, "SIGSTOP"));

async function failOver(context: TestContext, signal: "SIGKILL" | "SIGSTOP"): Promise<void> {
  const { url, signalPrimary, promoteStandby } = await startTemporaryPair();
  const cluster = await Cluster.start(context, { environment: { LEDGER_URL: url, LEDGER_FAILOVER: "1" } });
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(500);

  await signalPrimary(signal);
  await promoteStandby();
  await traffic.more(500);
  if (signal === "SIGSTOP") {
    await signalPrimary("SIGCONT");
    await traffic.more(500);
    // Some connections may be opened anew meanwhile.
    await cluster.service("catalog").kill();
    cluster.service("catalog").start();
    await traffic.more(500);
    await signalPrimary("SIGKILL");
  }
  await cluster.settled();
  await traffic.stop();

  report(`${signal} of PostgreSQL's primary`, traffic);
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
  const { lines } = cluster.service("catalog");
  const warnings = () => lines.filter((line) => line.includes("timeline must stay 1 (got 2)"));
  await eventually("the catalog warns", () => warnings().length > 0);
  expect(warnings()).toHaveLength(1);
}
