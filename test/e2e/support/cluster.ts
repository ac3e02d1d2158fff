/**
 * A cluster for one test or several. It is deleted afterwards, and a failed test prints the logs of its processes. With
 * BAZAAR_TEST_LEDGER=postgres its ledger is on PostgreSQL.
 */

import { type ClusterOptions, Cluster as RealCluster } from "@stock-bazaar/cluster/cluster";
import { afterAll, afterEach, beforeAll, type TestContext } from "vitest";
import { takeLedger, type TestedLedger } from "../../support/tested-ledger.ts";

const printedLinesMax = 60;

export type TestHooks = Pick<TestContext, "onTestFailed" | "onTestFinished">;

export type Cluster = RealCluster;

export const Cluster = {
  /** Starts one cluster for all tests of a file or a `describe`, before the first of them. */
  share(use: (cluster: Cluster) => unknown, options: ClusterOptions = {}): void {
    let cluster: Cluster;
    let giveBack: TestedLedger["giveBack"];
    beforeAll(async () => {
      ({ cluster, giveBack } = await create(options));
      await use(cluster);
      await cluster.startInOrder();
    });
    afterEach(({ task }) => {
      if (task.result?.state === "fail") printLogs(cluster);
    });
    afterAll(() => cluster.dispose().then(giveBack));
  },

  /** Creates a cluster with databases, in which no process runs yet. */
  async create(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const { cluster, giveBack } = await create(options);
    context.onTestFailed(() => printLogs(cluster));
    context.onTestFinished(() => cluster.dispose().then(giveBack));
    return cluster;
  },

  /** Creates a cluster and starts it. Resolves when it is ready and every replica is live and has caught up. */
  async start(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create(context, options);
    await cluster.startInOrder();
    return cluster;
  },
};

async function create(options: ClusterOptions): Promise<{ cluster: Cluster } & Pick<TestedLedger, "giveBack">> {
  const { environment, giveBack } = await takeLedger();
  const cluster = await RealCluster.create({ ...options, environment: { ...environment, ...options.environment } });
  return { cluster, giveBack };
}

function printLogs(cluster: Cluster): void {
  for (const { name, lines } of cluster.services) {
    if (lines.length === 0) continue;
    process.stderr.write(`--- ${name}, last of ${lines.length} lines\n${lines.slice(-printedLinesMax).join("\n")}\n`);
  }
}
