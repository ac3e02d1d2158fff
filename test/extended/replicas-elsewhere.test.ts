/**
 * The databases are in folders of their own, as on several machines: tools and a catalog reach the replicas by gRPC only.
 */

import { rmSync } from "node:fs";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { expect, type TestContext, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { newPostgresDatabase } from "../support/postgres.ts";
import { get, newTrade, trade } from "../support/requests.ts";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";

async function trading(context: TestContext) {
  const environment = { LEDGER_URL: "" };
  const cluster = await Cluster.start(context, { catalogApart: true, replicasApart: true, environment });
  const traffic = new Traffic({ urls: cluster.urls, clients: 16 });
  await traffic.more(200);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    bazaar(args, { environment: { ...cluster.environment, DATA_DIR: cluster.catalogFolder, ...more } });
  return { cluster, traffic, run };
}

function loseCatalog(cluster: Cluster): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogFile(cluster.catalogFolder)}${end}`, { force: true });
}

async function tradeOnce(cluster: Cluster): Promise<void> {
  await eventually("a trade is accepted", async () => (await trade(cluster.url, newTrade())).status === 200);
}

const startsOf = (text: string) => text.split("\n").map((line) => line.slice(0, 9));

test("a lost catalog is rebuilt of what the replicas tell, while they run, and trading goes on", async (context) => {
  const { cluster, traffic, run } = await trading(context);
  await cluster.service("catalog").stop();
  loseCatalog(cluster);
  const lost = await run(["verify", "--from-services"]);
  expect(lost.exitCode).toBe(1);
  expect(lost.stdout).toMatch(
    /^I1 UNREAD .*catalog\.db is missing, but replica 1 at .* holds \d+ orders: run `npm run reb/,
  );

  const rebuilt = await run(["rebuild-catalog", "--from-services"]);
  expect(rebuilt.stderr).toBe("");
  expect(rebuilt.stdout).toMatch(/catalog\.db: orders: \d+, all of replica \d at 127\.0\.0\.1:\d+, on the stocks of /);

  cluster.service("catalog").start();
  await tradeOnce(cluster);
  await cluster.settled();
  const verified = await run(["verify", "--from-services"]);
  expect({ ...verified, stdout: startsOf(verified.stdout) }).toEqual({
    exitCode: 0,
    stdout: ["I1 ok    ", "I2 ok    ", "I3 ok    ", "I3 ok    ", "I3 ok    ", ""],
    stderr: "",
  });
  await expectInvariants(cluster, { records: traffic.records });

  await cluster.order(2).kill();
  const without = await run(["verify", "--from-services"]);
  expect(without.exitCode).toBe(1);
  expect(without.stdout).toMatch(
    /I3 UNREAD replica 2 at .* can't be read: .*: is it running, and is ORDER_REPLICAS right/,
  );
});

test("verify reports no difference while orders are traded", async (context) => {
  const { cluster, run } = await trading(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 16 });
  await traffic.more(50);
  for (let round = 0; round < 3; round += 1) {
    const { exitCode, stdout } = await run(["verify", "--from-services"]);
    expect(stdout).not.toContain("BROKEN");
    expect(exitCode).toBe(0);
  }
  await traffic.stop();
  await expectInvariants(cluster, { records: traffic.records });
});

test("no catalog begins an empty ledger beside replicas with orders, in a file or on PostgreSQL", async (context) => {
  const { cluster, run } = await trading(context);
  const catalog = cluster.service("catalog");
  await catalog.stop();
  loseCatalog(cluster);
  const onServer = { LEDGER_URL: await newPostgresDatabase() };
  for (const ledger of [{}, onServer]) {
    expect((await run(["migrate"], ledger)).exitCode).toBe(0);
    expect((await run(["seed"], ledger)).exitCode).toBe(0);
    catalog.start({ environment: ledger });
    expect(await catalog.ended()).toMatchObject({ code: 2 });
    expect(catalog.lines.at(-1)).toMatch(
      / is empty, but replica \d at 127\.0\.0\.1:\d+ holds \d+ orders: name the ledger /,
    );
  }
});

test("a new ledger waits for a replica whose file is elsewhere, and begins when that is empty", async (context) => {
  const environment = { LEDGER_URL: "" };
  const cluster = await Cluster.create(context, { catalogApart: true, replicasApart: true, environment });
  for (const name of ["catalog", "order-1", "order-2", "front-end-1"]) cluster.service(name).start();
  await eventually("the catalog waits for replica 3", () =>
    cluster.service("catalog").lines.some((line) => /begins when replica 3 at .* has told that it holds no/.test(line)),
  );
  cluster.order(3).start();
  await cluster.settled();
  expect((await trade(cluster.url, newTrade())).status).toBe(200);
});

test("the ledger moves to PostgreSQL; its old file, started by mistake, refuses everything", async (context) => {
  const { cluster, traffic, run } = await trading(context);
  const catalog = cluster.service("catalog");
  const LEDGER_URL = await newPostgresDatabase();
  expect(await run(["ledger", "copy", "--to", LEDGER_URL])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^a catalog answers at 127\.0\.0\.1:\d+: stop it first\n$/),
  });
  await catalog.stop();
  expect(await run(["ledger", "copy", "--to", LEDGER_URL])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(`${LEDGER_URL}: orders: ${traffic.accepted.length}, stocks: 10, rejections: `),
  });

  catalog.start({ environment: { LEDGER_URL } });
  await tradeOnce(cluster);
  // A key keeps its first outcome, accepted or rejected.
  for (const status of [200, 409]) {
    const record = traffic.records.find((found) => found.status === status);
    if (!record) continue;
    const { body } = await trade(cluster.url, record.request);
    if (status === 200) expect(body).toEqual({ data: { transaction_number: record.orderNumber } });
    else expect(body).toMatchObject({ error: { code: record.reason } });
  }
  await cluster.settled();
  expect((await run(["verify", "--from-services"], { LEDGER_URL })).exitCode).toBe(0);

  await catalog.stop();
  catalog.start();
  await eventually("the old ledger refuses everything", async () => {
    const { status, body } = await get(`${cluster.url}/readyz`);
    return status === 503 && JSON.stringify(body).includes("longer once");
  });
  expect((await trade(cluster.url, newTrade())).status).toBe(503);
  expect(await get(`${cluster.url}/stocks/GameStart`)).toMatchObject({ status: 503 });

  await catalog.stop();
  catalog.start({ environment: { LEDGER_URL } });
  await tradeOnce(cluster);
});
