/**
 * The program of the version before beside this one, as during a rolling upgrade and on the way back. It is taken out of
 * git's history, which a shallow clone lacks.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { root } from "@stock-bazaar/cluster/service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { report } from "../e2e/support/report.ts";

/** The last commit of the version before; its messages are in proto/neighbour. */
const neighbourCommit = "51cf471";
const clients = 16;

const hasHistory = Bun.spawnSync(["git", "-C", root, "cat-file", "-e", `${neighbourCommit}^{commit}`]).exitCode === 0;
const why = hasHistory ? "" : ` (skipped: git's history lacks ${neighbourCommit}, as in a shallow clone)`;

let neighbour: string;
beforeAll(() => {
  if (!hasHistory) return;
  neighbour = mkdtempSync(join(tmpdir(), "stock-bazaar-neighbour-"));
  run(["sh", "-c", 'git -C "$0" archive "$1" | tar -x -C "$2"', root, neighbourCommit, neighbour]);
  run([process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"], neighbour);
  // Without scripts, its own Bun isn't there.
  run(["ln", "-sf", process.execPath, join(neighbour, "node_modules/.bin/bun")]);
});
afterAll(() => {
  if (hasHistory) rmSync(neighbour, { recursive: true, force: true });
});

function run(command: string[], cwd = root): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd, stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

test.skipIf(!hasHistory)(
  `the version before and this one run together in every mixture: no request fails, none is lost or doubled${why}`,
  async (context) => {
    const cluster = await Cluster.create(context, { frontEnds: 2 });
    for (const name of cluster.names) cluster.service(name).start({ checkout: neighbour });
    await cluster.settled();
    // One front-end of each version stays.
    await cluster.service("front-end-2").stop();
    cluster.service("front-end-2").start();
    await cluster.settled();
    const traffic = new Traffic({ urls: cluster.urls, clients });
    await traffic.more(300);
    const names = async () => {
      const leader = `order-${await cluster.leader()}`;
      const replicas = cluster.replicaIds.map((id) => `order-${id}`);
      return [...replicas.filter((name) => name !== leader), leader, "catalog"];
    };
    for (const checkout of [undefined, neighbour]) {
      for (const name of await names()) {
        expect(await cluster.service(name).stop()).toEqual({ code: 0, signal: null });
        cluster.service(name).start({ checkout });
        await cluster.settled();
        await traffic.more(300);
      }
    }
    await traffic.stop();
    report("two versions together", traffic);
    expect(traffic.failures).toEqual([]);
    await expectInvariants(cluster, { records: traffic.records });
  },
);
