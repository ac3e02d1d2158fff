/**
 * Full and read-only disks, under each of the databases: while services run, while they start, and under commands. When
 * there is room again, everything goes on by itself and nothing acknowledged is missing.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { Service } from "@stock-bazaar/cluster/service";
import { canMount, mountSmallDisk } from "@stock-bazaar/cluster/small-disk";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { bazaar } from "../support/command-line.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { makeTradedDatabases } from "../support/traded-databases.ts";

const impatient = { REQUEST_TIMEOUT_MS: "1500" };
const waits = (service: Service) =>
  service.newLines.filter((line) => line.includes("its disk is full: this service starts when there is room again"));

function requireMounts(context: TestContext): void {
  if (!canMount()) context.skip("file systems can be mounted by root on Linux only");
}

/** A folder on a disk of its own. */
function smallDisk(context: TestContext) {
  requireMounts(context);
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-disk-"));
  const disk = mountSmallDisk(folder);
  if (!disk) throw new Error("a small disk must be mounted");
  context.onTestFinished(() => {
    disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  });
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  return { dataDir, disk };
}

test("a catalog that starts on a full disk says so once and everywhere, and starts when there is room", async (context) => {
  requireMounts(context);
  const cluster = await Cluster.start(context, { smallDisk: "catalog", environment: impatient });
  const catalog = cluster.service("catalog");
  expect((await trade(cluster.url, newTrade())).status).toBe(200);
  await catalog.stop();
  cluster.smallDisk?.fill();
  catalog.start();
  await eventually("it waits", () => waits(catalog).length > 0);
  const full = `${cluster.catalogFolder}/catalog.db can't be written: its disk is full`;
  await eventually("/cluster has the reason", async () => (await askCluster(cluster.url)).catalog.problem === full);
  expect((await get(`${cluster.url}/readyz`)).status).toBe(503);
  const status = await bazaar(["status", "--port", new URL(cluster.url).port]);
  expect(status.stdout).toContain(full);
  expect((await trade(cluster.url, newTrade())).status).toBe(503);
  cluster.smallDisk?.free();
  await cluster.ready();
  expect((await trade(cluster.url, newTrade())).status).toBe(200);
  expect(waits(catalog)).toHaveLength(1);
  await expectInvariants(cluster);
});

test("a replica whose disk is full ends, its next start waits and says so once, and it catches up when there is room", async (context) => {
  requireMounts(context);
  const cluster = await Cluster.start(context, { smallDisk: "order-3" });
  const traffic = new Traffic({ urls: cluster.urls, clients: 4, persistent: true });
  await traffic.more(20);
  cluster.smallDisk?.fill();
  expect((await cluster.order(3).ended()).code).toBe(1);
  await cluster.leaderIs(2);
  cluster.order(3).start();
  await eventually("it waits", () => waits(cluster.order(3)).length > 0);
  // Asked to stop, it doesn't wait for room.
  expect(await cluster.order(3).stop()).toEqual({ code: 0, signal: null });
  cluster.order(3).start();
  await eventually("it waits", () => waits(cluster.order(3)).length > 0);
  await traffic.more(20);
  cluster.smallDisk?.free();
  await cluster.settled();
  expect(waits(cluster.order(3))).toHaveLength(1);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
});

test("without a leader, no replica is asked to lead as long as the catalog's disk is full", async (context) => {
  requireMounts(context);
  const cluster = await Cluster.start(context, { smallDisk: "catalog", environment: impatient });
  const refusals = () => cluster.service("catalog").lines.filter((line) => line.includes("lead refused")).length;
  cluster.smallDisk?.fill();
  await eventually("a trade finds the disk full", async () => (await trade(cluster.url, newTrade())).status === 503);
  await cluster.order(3).kill();
  const hasLeader = async () => (await askCluster(cluster.url)).leader !== null;
  await eventually("the leader is gone", async () => !(await hasLeader()));
  expect((await trade(cluster.url, newTrade())).status).toBe(503);
  expect(refusals()).toBe(0);
  cluster.smallDisk?.free();
  await eventually("another replica leads", hasLeader);
  expect((await trade(cluster.url, newTrade())).status).toBe(200);
});

test("`npm start` and the commands end on a full disk with one line, and do their work when there is room", async (context) => {
  const { dataDir, disk } = smallDisk(context);
  const environment = { DATA_DIR: dataDir };
  disk.fill();
  const full = new RegExp(`^${dataDir}(/\\S+)? [^\\n]*(disk is full|no space left)[^\\n]*\\n$`, "i");
  for (const command of ["up", "migrate"]) {
    const { exitCode, stderr } = await bazaar(command.split(" "), { environment });
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 1, stderr: expect.stringMatching(full) });
  }
  disk.free();
  await makeTradedDatabases(dataDir);
  disk.fill();
  for (const command of ["up", "migrate", "seed", "export --format csv", "rebuild-catalog"]) {
    const { exitCode, stderr } = await bazaar(command.split(" "), { environment });
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 1, stderr: expect.stringMatching(full) });
  }
  expect(await bazaar(["verify"], { environment })).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining("catalog.db can't be written: its disk is full"),
  });
  disk.free();
  for (const command of ["migrate", "seed", "verify", "export --format csv"])
    expect(await bazaar(command.split(" "), { environment })).toMatchObject({ exitCode: 0 });
});

test("on a read-only file system nothing starts, and the folder is named", async (context) => {
  const { dataDir } = smallDisk(context);
  await makeTradedDatabases(dataDir);
  const mount = (option: string) =>
    Bun.spawnSync(["mount", "-o", `remount,${option}`, join(dataDir, "..")], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  expect(mount("ro").success).toBe(true);
  const readOnly = `DATA_DIR must be a folder that this user can create and write (got "${dataDir}"): EROFS: read-only file system`;
  for (const [name, script, ...args] of [
    ["catalog", "apps/catalog/main.ts"],
    ["order-1", "apps/order/main.ts"],
    ["up", "apps/cli/main.ts", "up"],
    ["migrate", "apps/cli/main.ts", "migrate"],
    ["seed", "apps/cli/main.ts", "seed"],
  ] as const) {
    const service = new Service(name, script, { args, environment: { DATA_DIR: dataDir, ORDER_ID: "1" } });
    service.start();
    expect({ name, ...(await service.ended()), lines: service.lines }).toEqual({
      name,
      code: 2,
      signal: null,
      lines: [expect.stringContaining(readOnly)],
    });
  }
  expect(mount("rw").success).toBe(true);
  expect(await bazaar(["verify"], { environment: { DATA_DIR: dataDir } })).toMatchObject({ exitCode: 0 });
});
