/**
 * A database that another process has locked, or whose disk is full, can be read but not written. Reads continue, trades are
 * refused with the reason, and the lead doesn't move because of the catalog's disk.
 */

import { connect } from "@stock-bazaar/sqlite/connection";
import { onFullDisk } from "@stock-bazaar/chaos/faults/server";
import { lockLedger } from "@stock-bazaar/chaos/faults/stored-ledger";
import { canMount } from "@stock-bazaar/cluster/small-disk";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { expect, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { get, lookUp, newTrade, trade } from "../support/requests.ts";
import { isOnPostgres } from "../support/tested-ledger.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

/** The longest time of a lookup: far more than it needs, far less than a wait inside SQLite. */
const promptMs = 400;

const catalogAt = async (url: string) => at((await get(`${url}/cluster`)).body, "data", "catalog");
const linesWith = (cluster: Cluster, name: string, text: string) =>
  cluster.service(name).lines.filter((line) => line.includes(text));

async function expectReadOnly(cluster: Cluster, problem: RegExp) {
  await eventually("the catalog is read-only", async () => at(await catalogAt(cluster.url), "state") === "read-only");
  expect(await catalogAt(cluster.url)).toEqual({
    state: "read-only",
    last_id: expect.any(Number),
    stocks: 10,
    problem: expect.stringMatching(problem),
  });
  expect(await get(`${cluster.url}/readyz`)).toMatchObject({
    status: 503,
    body: {
      error: {
        message: "Not ready: the catalog answers lookups but can't write its ledger; see /cluster for the reason",
      },
    },
  });
  expect((await get(`${cluster.url}/cluster`)).body).toMatchObject({ data: { leader: 3, term: 1 } });
  const status = await bazaar(["status", "--port", new URL(cluster.url).port]);
  expect(status.exitCode).toBe(1);
  expect(status.stdout).toMatch(/catalog +read-only/);
  expect(status.stdout).toMatch(problem);
}

async function expectRecovered(cluster: Cluster) {
  await cluster.ready();
  expect((await trade(cluster.url, newTrade({ type: "buy" }))).status).toBe(200);
  expect(at(await catalogAt(cluster.url), "state")).toBe("live");
  expect(linesWith(cluster, "catalog", "no trade is accepted until")).toHaveLength(1);
  expect(linesWith(cluster, "catalog", "the ledger can be written again")).toHaveLength(1);
  // The lead hasn't moved, and no lease has expired.
  expect((await get(`${cluster.url}/cluster`)).body).toMatchObject({ data: { leader: 3, term: 1 } });
  expect(linesWith(cluster, "front-end-1", "cache session lost")).toEqual([]);
  await cluster.settled();
  await expectInvariants(cluster);
}

test("a foreign write lock on the ledger: reads continue, trades end in time, and the lock is named", async (context) => {
  const requestTimeoutMs = 1500;
  const cluster = await Cluster.start(context, { environment: { REQUEST_TIMEOUT_MS: String(requestTimeoutMs) } });
  expect((await trade(cluster.url, newTrade({ type: "buy" }))).status).toBe(200);
  await lookUp(cluster.url, "GameStart");

  const unlock = await lockLedger(cluster);
  context.onTestFinished(unlock);

  const sentMs = performance.now();
  let traded: Awaited<ReturnType<typeof trade>> | undefined;
  const trading = trade(cluster.url, newTrade({ type: "buy" })).then((answer) => (traded = answer));
  const slow: number[] = [];
  let lookups = 0;
  while (!traded) {
    const askedMs = performance.now();
    const answer = await lookUp(cluster.url, lookups % 5 === 4 ? "FishCo" : "GameStart");
    const tookMs = performance.now() - askedMs;
    if (answer.status !== 200 || tookMs > promptMs) slow.push(tookMs);
    if (lookups % 5 === 0) expect(answer.headers.get("x-cache")).toBe("hit");
    lookups += 1;
    // Drops the stock from the cache, so that a later lookup reads the catalog.
    if (lookups % 5 === 3) await get(`${cluster.url}/stocksCache/FishCo`);
  }
  await trading;
  expect(traded.status).toBe(503);
  expect(performance.now() - sentMs).toBeLessThan(requestTimeoutMs * 2);
  expect(slow).toEqual([]);
  expect(lookups).toBeGreaterThan(20);

  const holder = process.platform === "linux" ? `process ${process.pid} ` : "";
  const problem = isOnPostgres
    ? /canceling statement due to lock timeout/
    : new RegExp(`catalog\\.db is locked by ${holder}`);
  await expectReadOnly(cluster, problem);
  await unlock();
  await expectRecovered(cluster);
});

test.skipIf(isOnPostgres)("a full disk of the catalog is reported in the same way", async (context) => {
  const cluster = await Cluster.start(context, {
    smallDisk: "catalog",
    environment: { REQUEST_TIMEOUT_MS: "1500" },
  });
  const { smallDisk } = cluster;
  if (!smallDisk) return context.skip("a file system in memory can be mounted by root on Linux only");
  smallDisk.fill();
  await expectTradesRefused(cluster);
  await expectReadOnly(cluster, /catalog\.db can't be written: its disk is full/);
  expect((await lookUp(cluster.url, "GameStart")).status).toBe(200);
  smallDisk.free();
  await expectRecovered(cluster);
});

// The register's row is changed in its place, so the catalog finds again and again that it can write.
test.runIf(isOnPostgres)(
  "a server without room for orders: trades end in time, and the reason is logged",
  async (context) => {
    if (!canMount()) return context.skip("a file system in memory can be mounted by root on Linux only");
    const cluster = await Cluster.start(context, { environment: { REQUEST_TIMEOUT_MS: "1500" } });
    const free = await onFullDisk(cluster.ledger.ledgerUrl ?? "");
    try {
      await expectTradesRefused(cluster);
      await eventually(
        "the reason is logged",
        () => linesWith(cluster, "catalog", "No space left on device").length > 0,
      );
      expect((await lookUp(cluster.url, "GameStart")).status).toBe(200);
    } finally {
      await free();
    }
    await cluster.ready();
    expect((await trade(cluster.url, newTrade({ type: "buy" }))).status).toBe(200);
    await expectInvariants(cluster);
  },
);

async function expectTradesRefused(cluster: Cluster): Promise<void> {
  let status = 200;
  await eventually("a trade finds the disk full", async () => {
    ({ status } = await trade(cluster.url, newTrade({ type: "sell" })));
    return status !== 200;
  });
  expect(status).toBe(503);
}

test("a leader whose file is locked loses the lead, and after a restart waits for its file without ending again", async (context) => {
  const cluster = await Cluster.start(context);
  const other = connect(orderFile(cluster.dataDir, 3), "write");
  context.onTestFinished(() => void other.close());
  other.exec("BEGIN IMMEDIATE");
  expect((await trade(cluster.url, newTrade({ type: "buy" }))).status).toBe(200);
  await cluster.leaderIs(2);
  expect(linesWith(cluster, "order-3", "order-3.db is locked by")).toHaveLength(1);
  cluster.order(3).start();
  await eventually("it waits", () =>
    cluster.order(3).newLines.some((line) => line.includes("waits for that before it serves")),
  );
  expect(cluster.order(3).newLines.join("\n")).toContain("order-3.db is locked by");
  other.exec("ROLLBACK");
  await cluster.settled();
  await expectInvariants(cluster);
});
