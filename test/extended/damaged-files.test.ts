/**
 * Damaged databases under real processes: a replica's file is set aside and filled again, the catalog's file is never
 * served from, and no acknowledged order is lost. Damage is a garbled page, a cut or garbled write-ahead log, a file that is
 * no database, or one that lost its end.
 */

import {
  copyFileSync,
  existsSync,
  globSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { describe, expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { bazaar } from "../support/command-line.ts";
import { damageTable } from "../support/damage.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { makeTradedDatabases } from "../support/traded-databases.ts";

const orders = 2000;

/** A cluster whose databases hold orders; nothing runs. */
async function traded(context: TestContext): Promise<Cluster> {
  const cluster = await Cluster.create(context);
  await makeTradedDatabases(cluster.dataDir, orders);
  return cluster;
}

/** `npm start` on the databases of a cluster. */
function npmStart(context: TestContext, cluster: Cluster): Service {
  const up = new Service("up", "apps/cli/main.ts", {
    args: ["up"],
    environment: { ...cluster.environment, FRONTEND_PORT: new URL(cluster.url).port },
  });
  context.onTestFinished(async () => {
    if (up.isRunning) await up.stop();
  });
  context.onTestFailed(() => {
    process.stderr.write(`${up.lines.slice(-60).join("\n")}\n`);
  });
  up.start();
  return up;
}

function lastId(cluster: Cluster, replica: number): number {
  const end = new ReplicaFile(cluster.dataDir, replica).end();
  if (end instanceof Error) throw end;
  return end.lastId;
}

const isOpen = (up: Service) => up.lines.some((line) => line.includes("is open"));
const setAside = (cluster: Cluster, name: string) => globSync(`${cluster.dataDir}/${name}-2*Z.db`);

/** A cluster that was killed under load: the end of each database is in its write-ahead log. */
async function killed(context: TestContext): Promise<{ cluster: Cluster; traffic: Traffic }> {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 4, persistent: true });
  await traffic.more(300);
  await cluster.killAll();
  await traffic.abandon();
  return { cluster, traffic };
}

/** Overwrites a part of a file. */
function garble(file: string, from: number, length: number): void {
  const content = readFileSync(file);
  content.fill(0xa5, from, from + length);
  writeFileSync(file, content);
}

const replicaDamages: readonly (readonly [name: string, damage: (file: string) => void])[] = [
  ["a garbled last page", (file) => damageTable(file, "orders", "at the end")],
  ["a garbled header", (file) => garble(file, 0, 4096)],
  ["a file of zeros", (file) => writeFileSync(file, Buffer.alloc(64 * 1024))],
  [
    "a file that is no database",
    (file) => writeFileSync(file, "not a database, but longer than a header is ".repeat(99)),
  ],
  ["a file that lost its end", (file) => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096)],
  ["a file that was cut within a page", (file) => truncateSync(file, 5000)],
];

describe("a replica's file", () => {
  test.for(replicaDamages)("%s: `npm start` sets it aside and fills a new one", async ([, damage], context) => {
    const cluster = await traded(context);
    const file = orderFile(cluster.dataDir, 2);
    damage(file);
    const damaged = readFileSync(file);
    const up = npmStart(context, cluster);
    await eventually("it is open", () => isOpen(up));
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await expectInvariants(cluster, { equal: cluster.replicaIds });
    const [aside = "", ...others] = setAside(cluster, "order-2");
    expect(others).toEqual([]);
    expect(readFileSync(aside).equals(damaged)).toBe(true);
    expect(up.lines.filter((line) => line.includes("order-2.db was damaged") && line.includes(aside))).toHaveLength(1);
  });

  test("a garbled page is met while trading goes on: the replica ends, and its next start fills a new file", async (context) => {
    const cluster = await traded(context);
    damageTable(orderFile(cluster.dataDir, 3), "orders", "in the middle");
    await cluster.startInOrder();
    await cluster.leaderIs(3);
    const traffic = new Traffic({ urls: cluster.urls, clients: 4, persistent: true });
    await traffic.more(50);
    for (let id = 1; id < orders && cluster.order(3).isRunning; id += 10) await get(`${cluster.url}/orders/${id}`);
    expect((await cluster.order(3).ended()).code).toBe(1);
    expect(cluster.order(3).lines.at(-1)).toContain("order-3.db is damaged");
    await cluster.leaderIs(2);
    await traffic.more(50);
    cluster.order(3).start();
    await cluster.settled();
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(setAside(cluster, "order-3")).toHaveLength(1);
    expect(existsSync(`${orderFile(cluster.dataDir, 3)}-damaged`)).toBe(false);
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
  });

  test("isn't replaced while no catalog answers, nor beside an empty ledger, and a fourth one in a row is left to a person", async (context) => {
    const cluster = await traded(context);
    const [file, replica] = [orderFile(cluster.dataDir, 2), cluster.order(2)];
    const environment = { RPC_TIMEOUT_MS: "400" };
    damageTable(file, "orders", "at the end");
    replica.start({ environment });
    expect((await replica.ended()).code).toBe(1);
    expect(replica.newLines.at(-1)).toMatch(
      /order-2\.db is damaged: .*Its service does that by itself when the catalog answers/,
    );
    cluster.service("catalog").start();
    for (let count = 1; count <= 3; count += 1) {
      replica.start();
      await eventually("it fills a new file", () => replica.newLines.some((line) => line.includes("listening")));
      await replica.stop();
      expect(setAside(cluster, "order-2")).toHaveLength(count);
      garble(file, 0, 4096);
    }
    replica.start();
    expect((await replica.ended()).code).toBe(2);
    expect(replica.newLines.at(-1)).toContain("check the disk and the memory of this machine, then delete those files");
  });
});

const catalogDamages: readonly (readonly [name: string, damage: (file: string) => void])[] = [
  ["a garbled last page", (file) => damageTable(file, "ledger", "at the end")],
  ["a garbled header", (file) => garble(file, 0, 4096)],
  ["a file that lost its end", (file) => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096)],
];

describe("the catalog's file", () => {
  test.for(catalogDamages)("%s: nothing starts, and the named command rebuilds it", async ([, damage], context) => {
    const cluster = await traded(context);
    damage(catalogFile(cluster.dataDir));
    const told = /catalog\.db is (damaged|not a SQLite database): run `npm run rebuild-catalog`/;
    const catalog = cluster.service("catalog");
    catalog.start();
    expect((await catalog.ended()).code).toBe(2);
    expect(catalog.lines).toEqual([expect.stringMatching(told)]);
    const up = npmStart(context, cluster);
    expect((await up.ended()).code).toBe(2);
    expect(up.lines).toEqual([expect.stringMatching(told)]);
    expect(await bazaar(["rebuild-catalog"], { environment: cluster.environment })).toMatchObject({ exitCode: 0 });
    await cluster.startInOrder();
    const next = lastId(cluster, 1) + 1;
    expect((await trade(cluster.url, newTrade())).body).toEqual({ data: { transaction_number: next } });
    await expectInvariants(cluster);
  });

  test("a garbled page is met while everything runs: `npm start` ends with what to do, and loses nothing", async (context) => {
    const cluster = await traded(context);
    const file = catalogFile(cluster.dataDir);
    damageTable(file, "ledger", "in the middle");
    const up = npmStart(context, cluster);
    await eventually("it is open", () => isOpen(up));
    const known = await trade(cluster.url, newTrade());
    // The catalog reads the order of a key that comes again.
    const retry = (index: number) => trade(cluster.url, newTrade({ key: `key-${index}` })).catch(() => {});
    for (let index = 0; index < orders && up.lines.every((line) => !line.includes("is damaged")); index += 10)
      await retry(index);
    expect((await up.ended()).code).toBe(2);
    expect(up.lines.join("\n")).toMatch(
      /^catalog can't be started: \S+catalog\.db is damaged: run `npm run rebuild-catalog`/m,
    );
    const again = await bazaar(["up"], { environment: cluster.environment });
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("catalog.db is damaged") });
    expect(await bazaar(["rebuild-catalog"], { environment: cluster.environment })).toMatchObject({ exitCode: 0 });
    expect(known.status).toBe(200);
  });
});

/** A frame: its header and a page. */
const frameBytes = 24 + 4096;
const framesOf = (log: string) => Math.floor((statSync(log).size - 32) / frameBytes);

const logDamages: readonly (readonly [name: string, damage: (log: string) => void])[] = [
  ["cut within a frame", (log) => truncateSync(log, 32 + Math.floor(framesOf(log) / 2) * frameBytes + 1000)],
  ["garbled in a late frame", (log) => garble(log, 32 + Math.floor(framesOf(log) * 0.75) * frameBytes + 200, 8)],
  ["garbled in its header", (log) => garble(log, 0, 32)],
  ["deleted", (log) => rmSync(log)],
  ["deleted, and so is its index", (log) => [log, log.replace(/-wal$/, "-shm")].forEach((file) => rmSync(file))],
];

describe("the write-ahead log of a killed service", () => {
  test.for(logDamages)("of a replica, %s: it reads what it lacks again", async ([, damage], context) => {
    const { cluster, traffic } = await killed(context);
    const before = lastId(cluster, 2);
    damage(`${orderFile(cluster.dataDir, 2)}-wal`);
    expect(lastId(cluster, 2)).toBeLessThan(before);
    await cluster.startInOrder();
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
  });

  test.for(logDamages)("of the catalog, %s: nothing starts until a person decides", async ([, damage], context) => {
    const { cluster, traffic } = await killed(context);
    damage(`${catalogFile(cluster.dataDir)}-wal`);
    const catalog = cluster.service("catalog");
    catalog.start();
    expect((await catalog.ended()).code).toBe(2);
    const told =
      /catalog\.db (ends at order \d+|is empty), but \S+ goes on to order \d+: .*run `npm run rebuild-catalog`/;
    expect(catalog.newLines).toEqual([expect.stringMatching(told)]);
    expect(await bazaar(["rebuild-catalog"], { environment: cluster.environment })).toMatchObject({ exitCode: 0 });
    await cluster.startInOrder();
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
  });

  test.for(["an index of garbage", "no index"] as const)("%s: nothing is missing", async (index, context) => {
    const { cluster, traffic } = await killed(context);
    for (const file of [
      catalogFile(cluster.dataDir),
      ...cluster.replicaIds.map((id) => orderFile(cluster.dataDir, id)),
    ]) {
      if (index === "no index") rmSync(`${file}-shm`);
      else garble(`${file}-shm`, 0, statSync(`${file}-shm`).size);
    }
    await cluster.startInOrder();
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
  });

  test.for(["order-1.db", "order-2.db", "catalog.db"])(
    "of another database beside %s: it is refused, or what it lacks is read again, and no order is lost",
    async (name, context) => {
      const { cluster, traffic } = await killed(context);
      const from = name === "order-1.db" ? "catalog.db" : "order-1.db";
      copyFileSync(`${cluster.dataDir}/${from}-wal`, `${cluster.dataDir}/${name}-wal`);
      const up = npmStart(context, cluster);
      await eventually("it is open or has ended", () => isOpen(up) || !up.isRunning);
      if (name === "order-2.db")
        return expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
      expect((await up.ended()).code).toBe(2);
      expect(up.lines).toEqual([expect.stringMatching(new RegExp(`${name} is not .*'s database: move it elsewhere`))]);
    },
  );
});
