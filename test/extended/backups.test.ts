/** `bazaar backup` while trades arrive and `bazaar restore` after losses, with real processes and kills at any moment. */

import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { orderNumber } from "@stock-bazaar/client/requests";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { readManifest } from "@stock-bazaar/db/backup/manifest";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { expect, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function start(cluster: Cluster, ...args: string[]): Service {
  const process = new Service(args[0] ?? "", "apps/cli/main.ts", { args, environment: cluster.environment });
  process.start();
  return process;
}

async function run(cluster: Cluster, ...args: string[]) {
  const process = start(cluster, ...args);
  const { code } = await process.ended();
  return { code, output: process.lines.join("\n") };
}

/** Makes a backup and returns its folder. */
async function backUp(cluster: Cluster, to: string, ...args: string[]): Promise<string> {
  const { code, output } = await run(cluster, "backup", "--to", to, ...args);
  expect(code, output).toBe(0);
  return /^(\S+): verified$/m.exec(output)?.[1] ?? "";
}

/** The numbers of the orders in a backup's ledger. */
function lastIdIn(folder: string): Promise<number> {
  return chosenLedgerStore({ dataDir: folder }).read((view) => view.lastId());
}

async function stopAll(cluster: Cluster): Promise<void> {
  for (const service of cluster.services.toReversed()) await service.stop();
}

const lose = (cluster: Cluster, name: string) => {
  for (const ending of ["", "-wal", "-shm"]) rmSync(join(cluster.dataDir, name + ending), { force: true });
};

test("backups under load hold every order that was acknowledged before, and delay none for long", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 8 });
  const to = join(temporaryFolder(), "backups");
  for (let count = 0; count < 5; count += 1) {
    await traffic.more(50);
    const acknowledged = Math.max(...traffic.accepted.map(({ orderNumber: number }) => number ?? 0));
    const folder = await backUp(cluster, to, "--keep", "3");
    expect(await lastIdIn(folder)).toBeGreaterThanOrEqual(acknowledged);
    const { replica, ledger } = readManifest(folder);
    expect(replica?.lastId).toBeLessThanOrEqual(ledger?.head ?? 0);
  }
  expect(readdirSync(to).filter((name) => name !== "backups-lock")).toHaveLength(3);
  await traffic.more(50);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("an old backup beside replicas that are ahead: nothing acknowledged is lost, and the numbers go on", async (context) => {
  const cluster = await Cluster.start(context);
  const before = new Traffic({ urls: cluster.urls, clients: 8 });
  await before.more(50);
  const folder = await backUp(cluster, temporaryFolder());
  await before.more(100);
  await before.stop();
  expect(before.failures).toEqual([]);
  await cluster.settled();
  expect((await run(cluster, "restore", folder)).output).toMatch(
    /a catalog still runs|is held by a running service|stop it first/,
  );
  await stopAll(cluster);
  lose(cluster, "catalog.db");
  lose(cluster, "order-1.db");
  const { code, output } = await run(cluster, "restore", folder);
  expect(code, output).toBe(0);
  expect(output).toMatch(/the last \d+ of them from .*order-[23]/);
  // As `npm start` does.
  expect((await run(cluster, "migrate")).code).toBe(0);

  cluster.startAll();
  await cluster.ready();
  const last = before.accepted.at(-1);
  if (!last) throw new Error("nothing was accepted");
  expect((await get(`${cluster.url}/orders/${last.orderNumber}`)).status).toBe(200);
  expect(orderNumber((await trade(cluster.url, last.request)).body)).toBe(last.orderNumber);
  const highest = Math.max(...before.accepted.map(({ orderNumber: number }) => number ?? 0));
  expect(orderNumber((await trade(cluster.url, newTrade())).body)).toBe(highest + 1);
  await expectInvariants(cluster, { records: before.records, equal: cluster.replicaIds });
});

test("an old replica that was put back by hand catches up", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 8 });
  await traffic.more(50);
  const folder = await backUp(cluster, temporaryFolder());
  await traffic.more(50);
  const [copy = ""] = readdirSync(folder).filter((name) => /^order-\d\.db$/.test(name));
  const id = Number(copy.at(6));
  await cluster.order(id).stop();
  lose(cluster, copy);
  cpSync(join(folder, copy), join(cluster.dataDir, copy));
  cluster.order(id).start();
  await traffic.more(50);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
});

test("a killed backup leaves none that looks whole, and a killed restore leaves old or new", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 8 });
  await traffic.more(300);
  const to = temporaryFolder();
  const folder = await backUp(cluster, to);
  await traffic.more(100);
  await traffic.stop();
  await cluster.settled();
  const wholes = () => readdirSync(to).filter((name) => /^\d{4}-/.test(name));
  const known = new Set(wholes());
  for (const kind of ["unfinished-", "catalog.db", "manifest"]) {
    const killed = start(cluster, "backup", "--to", to);
    const seen = () =>
      !killed.isRunning ||
      readdirSync(to, { recursive: true }).some(
        (name) => String(name).includes(kind) && !known.has(String(name).split("/")[0] ?? ""),
      );
    await eventually(`the backup has begun ${kind}`, seen, { pollMs: 1 });
    await killed.kill();
    for (const name of wholes().filter((each) => !known.has(each))) {
      // It was whole when the kill came.
      expect(existsSync(join(to, name, "manifest.json"))).toBe(true);
      known.add(name);
    }
  }
  expect(await backUp(cluster, to)).not.toBe("");
  expect(readdirSync(to).filter((name) => name.startsWith("unfinished-"))).toEqual([]);

  await stopAll(cluster);
  lose(cluster, "catalog.db");
  for (const kind of ["restoring-", "restore-begun-"]) {
    const killed = start(cluster, "restore", folder);
    const seen = () => !killed.isRunning || readdirSync(cluster.dataDir).some((name) => name.startsWith(kind));
    await eventually(`the restore is at ${kind}`, seen, { pollMs: 1 });
    await killed.kill();
  }
  const finished = await run(cluster, "restore", ...(existsSync(join(cluster.dataDir, "catalog.db")) ? [] : [folder]));
  expect(finished.output).toMatch(/Next: start the services|interrupted restore was finished/);
  expect(new ReplicaFile(cluster.dataDir, 1).problem()).toBeUndefined();
  cluster.startAll();
  await cluster.ready();
  expect((await trade(cluster.url, newTrade())).status).toBe(200);
  await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
});
