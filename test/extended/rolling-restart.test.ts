/**
 * `bazaar rolling-restart` of real processes under load over keep-alive connections. Each client sends a request once: one that
 * gets no answer, a reset connection or an error counts as failed.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { violations } from "@stock-bazaar/chaos/checks/invariants";
import { untilEqual } from "@stock-bazaar/chaos/checks/snapshot";
import { Readers } from "@stock-bazaar/chaos/clients/readers";
import { seededStocks, Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { readLedgerUrl } from "@stock-bazaar/process/ledger-url";
import { expect, test } from "vitest";
import { startUp, type Up } from "../e2e/support/up.ts";
import { bazaar } from "../support/command-line.ts";
import { newPostgresDatabase } from "../support/postgres.ts";

const clients = 32;
const replicaIds = [1, 2, 3];
const quiet = { LOG_LEVEL: "info" };

/** Restarts everything once under load, and expects that no client noticed. Returns what was restarted, in order. */
async function rollUnderLoad(up: Up, environment: Readonly<Record<string, string>> = {}) {
  const before = up.children();
  const traffic = new Traffic({ urls: up.urls, clients });
  const readers = new Readers({ urls: up.urls, clients: 4, stocks: seededStocks, pauseMs: 5 });
  await traffic.more(500);
  const { exitCode, stdout, stderr } = await bazaar(["rolling-restart"], { environment: { DATA_DIR: up.dataDir } });
  await traffic.more(500);
  await Promise.all([traffic.stop(), readers.stop()]);
  const { records, longestSilenceMs } = traffic;
  process.stdout.write(`${stdout}${records.length} trades, longest silence ${Math.round(longestSilenceMs)} ms\n`);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const steps = stdout
    .split("\n")
    .slice(0, -2)
    .map((line) => line.split(/ +/));
  const after = up.children();
  expect(steps).toHaveLength(after.size);
  expect(new Set(steps.map(([name]) => name))).toEqual(new Set(after.keys()));
  for (const [name, pid] of after) expect(pid).not.toBe(before.get(name));
  expect(traffic.failures).toEqual([]);
  expect(readers.failures).toEqual([]);
  expect(readers.lookups.length).toBeGreaterThan(0);
  expect(longestSilenceMs).toBeLessThan(10_000);
  await expectPromises(up, records, environment);
  return steps;
}

async function expectPromises(
  { dataDir }: Up,
  records: Traffic["records"],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const ledger = { dataDir, ledgerUrl: readLedgerUrl(environment), ledgerFailover: false };
  const initial = await chosenLedgerStore(ledger).read((view) => view.initialStocks());
  const initialQuantities = new Map(initial.map(({ name, quantity }) => [name, quantity]));
  const replicaFolders = new Map(replicaIds.map((id) => [id, dataDir]));
  const found = await untilEqual({ ledger, catalogFolder: dataDir, replicaFolders }, replicaIds, (snapshot) =>
    violations(snapshot, { records, minCopies: 1, equal: replicaIds, initialQuantities }),
  );
  expect(found).toEqual([]);
}

test("one front-end, twice: the leader hands over each time, no request fails, no order is lost or doubled", async (context) => {
  const up = await startUp(context, { environment: quiet });
  const kinds = ["follower", "follower", "leader", "catalog", "front-end"];
  for (let time = 1; time <= 2; time += 1) {
    expect((await rollUnderLoad(up)).map(([, what]) => what)).toEqual(kinds);
  }
  expect(up.service.lines.filter((line) => line.includes("handed the lead over"))).toHaveLength(2);
  expect(await up.service.stop()).toEqual({ code: 0, signal: null });
  expect(existsSync(join(up.dataDir, "up.sock"))).toBe(false);
});

test("two front-ends, and every copy demanded: no request fails", async (context) => {
  const up = await startUp(context, { frontEnds: 2, environment: { ...quiet, ORDER_MIN_COPIES: "3" } });
  const steps = await rollUnderLoad(up);
  expect(steps.slice(-2).map(([name]) => name)).toEqual(["front-end", "front-end-2"]);
});

test("two catalogs on PostgreSQL: the standby first, then the active one", async (context) => {
  const ports = await freePorts(2);
  const environment = {
    ...quiet,
    LEDGER_URL: await newPostgresDatabase(),
    CATALOG_PORT: "",
    CATALOG_ADDRESSES: ports.map((port) => `127.0.0.1:${port}`).join(),
  };
  const up = await startUp(context, { environment });
  const steps = await rollUnderLoad(up, environment);
  expect(steps.slice(3, 5).map(([, what]) => what)).toEqual(["standby", "catalog"]);
});
