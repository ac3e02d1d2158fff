/** A cluster for one test or several. It is deleted afterwards, and a failed test prints the logs of its processes. */

import { type ClusterOptions, Cluster as RealCluster } from "@stock-bazaar/cluster/cluster";
import { afterAll, afterEach, beforeAll, type TestContext } from "vitest";

const printedLinesMax = 60;

export type TestHooks = Pick<TestContext, "onTestFailed" | "onTestFinished">;

export type Cluster = RealCluster;

export const Cluster = {
  /** Starts one cluster for all tests of a file or a `describe`, before the first of them. */
  share(use: (cluster: Cluster) => unknown, options: ClusterOptions = {}): void {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await RealCluster.create(options);
      await use(cluster);
      await cluster.startInOrder();
    });
    afterEach(({ task }) => {
      if (task.result?.state === "fail") printLogs(cluster);
    });
    afterAll(() => cluster.dispose());
  },

  /** Creates a cluster with databases, in which no process runs yet. */
  async create(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await RealCluster.create(options);
    context.onTestFailed(() => printLogs(cluster));
    context.onTestFinished(() => cluster.dispose());
    return cluster;
  },

  /** Creates a cluster and starts it. Resolves when it is ready and every replica is live and has caught up. */
  async start(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create(context, options);
    await cluster.startInOrder();
    return cluster;
  },
};

function printLogs(cluster: Cluster): void {
  for (const { name, lines } of cluster.services) {
    if (lines.length === 0) continue;
    process.stderr.write(`--- ${name}, last of ${lines.length} lines\n${lines.slice(-printedLinesMax).join("\n")}\n`);
  }
}
