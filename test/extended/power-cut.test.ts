/**
 * Power cuts at many moments of a real run: strace records what a catalog and a replica write and sync while clients trade,
 * one of them is killed and started again, and at last everything stops. For each cut the files are built as the disk may
 * hold them: what was synced, and nothing, everything, some writes or parts of writes since then. The ledger must open, be
 * sound and hold every order that was acknowledged before the cut; the replica must hold a prefix of it.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { sqliteLedgerStore } from "@stock-bazaar/ledger/sqlite/sqlite-store";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import type { Order } from "@stock-bazaar/shared/domain";
import { Random } from "@stock-bazaar/shared/random";
import { beforeAll, describe, expect, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ForgetfulDisk, type Leaves } from "./power-cut/disk.ts";
import { type Call, callsOn, tracing, whyNotTraced } from "./power-cut/trace.ts";

const seed = Number(process.env.SEED ?? 1);
/** Cuts that are tried for each database; each in all four ways. */
const cutsMax = 150;
const ways: readonly Leaves[] = ["nothing", "everything", "some", "parts"];
const whyNot = whyNotTraced();

interface Recording {
  /** The database's file before the first call. */
  readonly before: Buffer;
  readonly calls: readonly Call[];
}

interface Acknowledged {
  readonly id: number;
  readonly atMs: number;
}

let ledger: readonly Order[] = [];
let acknowledged: readonly Acknowledged[] = [];
/** Until then the traced replica led, and acknowledged what clients were told. */
let ledUntilMs = 0;
const recordings = new Map<string, Recording>();

/** Runs a bazaar whose catalog and leader are traced. */
async function record(): Promise<void> {
  const finished: (() => unknown)[] = [];
  const cluster = await Cluster.create({
    onTestFailed() {},
    onTestFinished: (finish) => void finished.push(finish as () => unknown),
  });
  const { dataDir, environment } = cluster;
  const traces = mkdtempSync(join(tmpdir(), "stock-bazaar-traces-"));
  finished.push(() => rmSync(traces, { recursive: true }));
  const files = { catalog: catalogFile(dataDir), "order-3": orderFile(dataDir, 3) };
  const before = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file)]));
  const starts: Record<keyof typeof files, number> = { catalog: 0, "order-3": 0 };
  const traced = (name: keyof typeof files) => {
    starts[name] += 1;
    const script = name === "catalog" ? "apps/catalog/main.ts" : "apps/order/main.ts";
    const via = tracing(join(traces, `${name}.${starts[name]}`));
    const service = new Service(name, script, { environment: { ...environment, ORDER_ID: "3" }, via });
    service.start();
    finished.unshift(() => service.isRunning && service.kill());
    return service;
  };
  try {
    let [catalog, leader] = [traced("catalog"), traced("order-3")];
    for (const name of ["order-1", "order-2", "front-end-1"]) cluster.service(name).start();
    await cluster.ready();
    const traffic = new Traffic({ urls: cluster.urls, clients: 3, persistent: true });
    await traffic.more(150);
    await catalog.kill();
    catalog = traced("catalog");
    await traffic.more(150);
    ledUntilMs = performance.timeOrigin + performance.now();
    await leader.kill();
    leader = traced("order-3");
    await eventually("it listens again", () => leader.lines.some((line) => line.includes("listening")));
    await traffic.more(150);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    await cluster.service("front-end-1").stop();
    for (const service of [leader, cluster.order(1), cluster.order(2), catalog]) await service.stop();
    acknowledged = traffic.accepted.map(({ orderNumber, endMs }) => ({
      id: orderNumber ?? 0,
      // The clock of the trace. Both are read on this machine; a millisecond makes up for rounding.
      atMs: performance.timeOrigin + endMs + 1,
    }));
    ledger = await sqliteLedgerStore(dataDir).read(async (view) => {
      const orders: Order[] = [];
      for (
        let page = await view.ordersAfter(0, 1000);
        page.length > 0;
        page = await view.ordersAfter(orders.length, 1000)
      )
        orders.push(...page);
      return orders;
    });
    for (const [name, file] of Object.entries(files) as [keyof typeof files, string][]) {
      const numbers = Array.from({ length: starts[name] }, (_, index) => index + 1);
      const calls = numbers.flatMap((number) => callsOn(file, readFileSync(join(traces, `${name}.${number}`), "utf8")));
      recordings.set(name, { before: before[name] ?? Buffer.alloc(0), calls });
    }
  } finally {
    for (const finish of finished) await finish();
  }
}

function acknowledgedBefore(ms: number): number {
  return acknowledged.reduce((id, acked) => (acked.atMs < ms ? Math.max(id, acked.id) : id), 0);
}

/** Calls `check` with a folder that holds the files after a cut, for many cuts. */
async function forCuts(
  name: string,
  check: (dataDir: string, ackedId: number, what: string) => Promise<void>,
): Promise<number> {
  const { before, calls } = recordings.get(name) ?? { before: Buffer.alloc(0), calls: [] };
  const random = new Random(seed);
  const chance = cutsMax / calls.length;
  const disk = new ForgetfulDisk({ [`${name}.db`]: before });
  let cuts = 0;
  for (const [index, call] of calls.entries()) {
    // Beside random moments, those just before and after a sync of a rare kind.
    const isRare = call.kind !== "write" && !(call.kind === "sync" && call.file.endsWith("-wal"));
    if (isRare || random.next() < chance) {
      cuts += 1;
      const ackedId = acknowledgedBefore(call.atMs);
      for (const leaves of ways) {
        const dataDir = temporaryFolder();
        for (const [file, content] of disk.cut(leaves, () => random.next()))
          writeFileSync(join(dataDir, file), content);
        await check(
          dataDir,
          ackedId,
          `seed ${seed}, before call ${index} of ${name} (${call.kind}), leaving ${leaves}`,
        );
        rmSync(dataDir, { recursive: true });
      }
    }
    disk.apply(call);
  }
  return cuts;
}

describe.skipIf(whyNot !== undefined)(`a power cut${whyNot === undefined ? "" : ` (${whyNot})`}`, () => {
  beforeAll(record);

  test("the run was recorded whole: the calls lead to the files that are there, and there were checkpoints", () => {
    for (const [name, { calls }] of recordings) {
      const kinds = calls.map((call) => `${call.kind}${"file" in call && call.file.endsWith("-wal") ? " wal" : ""}`);
      expect({ name, kinds: [...new Set(kinds)].sort() }).toEqual({
        name,
        kinds: expect.arrayContaining([
          "create wal",
          "remove wal",
          "sync",
          "sync wal",
          "sync-folder",
          "write",
          "write wal",
        ]),
      });
    }
    expect(acknowledged.length).toBeGreaterThan(300);
  });

  test("leaves a sound ledger with every order that was acknowledged before", async () => {
    const cuts = await forCuts("catalog", async (dataDir, ackedId, what) => {
      const store = sqliteLedgerStore(dataDir);
      const opened = await store.open();
      await opened.checkpoint();
      const { head } = await opened.register();
      await opened.close();
      const orders = await store.read((view) => view.ordersAfter(0, ledger.length + 1));
      expect(head, what).toBeGreaterThanOrEqual(ackedId);
      expect(orders, what).toEqual(ledger.slice(0, head));
      const checks = await store.check([]);
      expect(
        checks.filter(({ outcome }) => outcome !== "kept"),
        what,
      ).toEqual([]);
    });
    console.info(`${cuts} cuts of the catalog, ${ledger.length} orders`);
  });

  test("leaves a replica a prefix of the ledger, and one that is marked as whole lacks nothing", async () => {
    const lastLedId = acknowledgedBefore(ledUntilMs);
    const cuts = await forCuts("order-3", async (dataDir, ackedId, what) => {
      const file = new ReplicaFile(dataDir, 3);
      const end = file.end();
      if (end instanceof Error) throw new Error(`${what}: ${end.message}`, { cause: end });
      const log = createSqliteOrderLog(file.open());
      const orders = await log.after(0, ledger.length + 1);
      await log.close();
      expect(orders, what).toEqual(ledger.slice(0, orders.length));
      expect(orders.length, what).toBe(end.lastId);
      // The boot id in the mark counts until the machine starts again. After a clean end the file needs none.
      const { client, close } = file.open("read");
      const synced = client.prepare<[], number>("SELECT synced FROM replica").pluck().get();
      close();
      if (synced === 1) expect(end.lastId, what).toBeGreaterThanOrEqual(Math.min(ackedId, lastLedId));
    });
    console.info(`${cuts} cuts of a replica`);
  });
});
