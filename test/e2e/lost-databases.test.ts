/**
 * I9: any one of the four databases is deleted, after a stop or while everything runs, and nothing is lost. And what
 * can't be mended without a person is told, with the command that mends it.
 */

import { existsSync, globSync, rmSync } from "node:fs";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { catalogFile, openCatalogDatabase, openOrderDatabase, orderFile } from "@stock-bazaar/db/open";
import { readConfig } from "@stock-bazaar/shared/config";
import { type TestContext, describe, expect, test } from "vitest";
import { get, newTrade, orderNumber, trade } from "./support/client.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";
import { type Exit, Service } from "./support/service.ts";
import { Traffic } from "./support/traffic.ts";
import { eventually } from "./support/wait.ts";

const everything = ["catalog.db", "order-1.db", "order-2.db", "order-3.db"];

/** As `rm data/order-1.db*` does it. */
function remove(cluster: Cluster, database: string): void {
  for (const file of globSync(`${cluster.dataDir}/${database}*`)) rmSync(file);
}

/** A command that a person runs meanwhile. */
async function bazaar(cluster: Cluster, ...args: string[]): Promise<{ exit: Exit; said: string }> {
  const command = new Service(args.join(" "), "apps/cli/main.ts", { args, environment: cluster.environment });
  command.start();
  const exit = await command.ended();
  return { exit, said: command.lines.join("\n") };
}

async function stopEverything(cluster: Cluster): Promise<void> {
  const frontEnds = cluster.names.filter((name) => name.startsWith("front-end"));
  const replicas = cluster.replicaIds.map((id) => `order-${id}`);
  for (const stage of [frontEnds, replicas, ["catalog"]]) {
    await Promise.all(stage.map((name) => cluster.service(name).stop()));
  }
}

/** A bazaar that has traded and was stopped, every replica equal to the ledger. */
async function traded(context: TestContext, orders: number): Promise<{ cluster: Cluster; traffic: Traffic }> {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 16 });
  await traffic.more(orders);
  await traffic.stop();
  await expectInvariants(cluster, { records: traffic.records });
  await stopEverything(cluster);
  return { cluster, traffic };
}

/** `npm start` on the databases and ports of a cluster whose own services don't run. */
async function startUp(context: TestContext, cluster: Cluster): Promise<Service> {
  const up = new Service("up", "apps/cli/main.ts", {
    args: ["up"],
    environment: { ...cluster.environment, FRONTEND_PORT: new URL(cluster.url).port },
  });
  context.onTestFailed(() => {
    process.stderr.write(`${up.lines.slice(-80).join("\n")}\n`);
  });
  context.onTestFinished(async () => {
    if (up.isRunning) await up.stop();
  });
  up.start();
  await eventually("the bazaar is open", () => up.lines.some((line) => line.includes("is open")));
  return up;
}

describe("after a stop", () => {
  test("each database in turn is deleted and is there again, by `npm start` alone, with nothing lost", async (context) => {
    const { cluster, traffic } = await traded(context, 300);
    const accepted = traffic.accepted.at(-1);
    for (const database of everything) {
      remove(cluster, database);
      const up = await startUp(context, cluster);
      expect(up.lines.some((line) => line.includes("it was made again from a replica's orders"))).toBe(
        database === "catalog.db",
      );
      // The last order is found, its key is known, and the next trade gets the next number.
      expect((await get(`${cluster.url}/orders/${accepted?.orderNumber}`)).status).toBe(200);
      const again = await trade(cluster.url, accepted?.request ?? newTrade());
      expect(orderNumber(again.body)).toBe(accepted?.orderNumber);
      expect((await trade(cluster.url, newTrade())).status).toBe(200);
      await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
      expect(await up.stop()).toEqual({ code: 0, signal: null });
    }
    expect(await bazaar(cluster, "verify")).toMatchObject({ exit: { code: 0 } });
  });

  test("the catalog is rebuilt by the command, and its services go on with it", async (context) => {
    const { cluster, traffic } = await traded(context, 200);
    remove(cluster, "catalog.db");
    for (const command of ["migrate", "seed"]) {
      const refused = await bazaar(cluster, command);
      expect(refused.exit.code).toBe(1);
      expect(refused.said).toMatch(/catalog\.db is missing, but .*order-1\.db holds \d+ orders: .*rebuild-catalog/);
    }
    cluster.service("catalog").start();
    expect((await cluster.service("catalog").ended()).code).toBe(2);
    expect(cluster.service("catalog").lines.at(-1)).toContain("npm run rebuild-catalog");
    expect(existsSync(catalogFile(cluster.dataDir))).toBe(false);

    const rebuilt = await bazaar(cluster, "rebuild-catalog");
    expect(rebuilt).toMatchObject({ exit: { code: 0 } });
    await cluster.startInOrder();
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await expectInvariants(cluster, { records: traffic.records });
    const running = await bazaar(cluster, "rebuild-catalog");
    expect(running.exit.code).toBe(1);
    expect(running.said).toContain("stop it first");
  });
});

describe("while everything runs", () => {
  test("through `npm start`: each database in turn is deleted under load, no acknowledged order is lost", async (context) => {
    const cluster = await Cluster.create(context);
    const up = await startUp(context, cluster);
    const traffic = new Traffic({ urls: cluster.urls, clients: 16, persistent: true });
    const starts = (name: string) => up.lines.filter((line) => line.includes(`"child":"${name}","pid"`)).length;
    for (const database of everything) {
      const service = database.replace(".db", "");
      const before = starts(service);
      await traffic.more(200);
      remove(cluster, database);
      await eventually(`${service} runs again`, () => starts(service) > before);
      await traffic.more(200);
      await cluster.settled();
    }
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    await expectInvariants(cluster, { records: traffic.records, equal: cluster.replicaIds });
    expect(await bazaar(cluster, "verify")).toMatchObject({ exit: { code: 0 } });
  });

  test("services that were started one by one end themselves, and come back with their command", async (context) => {
    const cluster = await Cluster.start(context);
    const traffic = new Traffic({ urls: cluster.urls, clients: 16, persistent: true });
    await traffic.more(200);
    remove(cluster, "order-3.db");
    expect((await cluster.order(3).ended()).code).toBe(1);
    expect(cluster.order(3).lines.at(-1)).toContain("order-3.db was deleted while it was open");
    migrateAll(readConfig(cluster.environment));
    cluster.order(3).start();
    await cluster.settled();
    await traffic.more(200);

    remove(cluster, "catalog.db");
    expect((await cluster.service("catalog").ended()).code).toBe(1);
    await Promise.all(cluster.replicaIds.map((id) => cluster.order(id).stop()));
    expect(await bazaar(cluster, "rebuild-catalog")).toMatchObject({ exit: { code: 0 } });
    cluster.startAll();
    await cluster.settled();
    await traffic.more(200);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    await expectInvariants(cluster, { records: traffic.records });
  });

  test("`verify` finds nothing wrong while orders arrive, on any replica", async (context) => {
    const cluster = await Cluster.start(context);
    const traffic = new Traffic({ urls: cluster.urls, clients: 32 });
    for (let round = 0; round < 3; round += 1) {
      await traffic.more(200);
      expect(await bazaar(cluster, "verify")).toMatchObject({ exit: { code: 0 } });
    }
    await traffic.stop();
  });
});

describe("what only a person can mend", () => {
  test("a catalog that is behind a replica: everything refuses to start and names the command, which mends it", async (context) => {
    const { cluster, traffic } = await traded(context, 100);
    const catalog = openCatalogDatabase(cluster.dataDir);
    catalog.client.exec("DELETE FROM ledger WHERE id = (SELECT head FROM register)");
    catalog.client.exec("UPDATE register SET head = head - 1");
    catalog.close();

    cluster.service("catalog").start();
    expect((await cluster.service("catalog").ended()).code).toBe(2);
    expect(cluster.service("catalog").lines.at(-1)).toMatch(
      /catalog\.db ends at order \d+, but .*order-1\.db goes on to order \d+: .*npm run rebuild-catalog/,
    );
    const refused = await bazaar(cluster, "up");
    expect(refused.exit.code).toBe(2);
    expect(refused.said).toContain("npm run rebuild-catalog");
    expect(await bazaar(cluster, "verify")).toMatchObject({ exit: { code: 1 } });

    const rebuilt = await bazaar(cluster, "rebuild-catalog");
    expect(rebuilt.exit.code).toBe(0);
    expect(rebuilt.said).toMatch(/The file that was there is now .*catalog-.*\.db/);
    await cluster.startInOrder();
    await expectInvariants(cluster, { records: traffic.records });
  });

  test("two databases at once: `npm start` doesn't guess", async (context) => {
    const { cluster } = await traded(context, 50);
    remove(cluster, "catalog.db");
    remove(cluster, "order-2.db");
    const refused = await bazaar(cluster, "up");
    expect(refused.exit.code).toBe(2);
    expect(refused.said).toMatch(/catalog\.db is missing, and so is .*order-2\.db: .*npm run rebuild-catalog/);
    expect(existsSync(orderFile(cluster.dataDir, 2))).toBe(false);
  });

  test("`verify` tells each kind of tampering, and exits with 1", async (context) => {
    const { cluster } = await traded(context, 20);
    const kinds: [sql: string, undo: string, said: RegExp, replica?: number][] = [
      [
        "UPDATE stocks SET quantity = quantity + 7 WHERE name = 'FishCo'",
        "UPDATE stocks SET quantity = quantity - 7 WHERE name = 'FishCo'",
        /I1 BROKEN .*catalog\.db, stock "FishCo", column quantity: \d+, but the ledger says 100 at first/,
      ],
      [
        "CREATE TABLE gone AS SELECT * FROM ledger WHERE id = 5; DELETE FROM ledger WHERE id = 5",
        "INSERT INTO ledger SELECT * FROM gone; DROP TABLE gone",
        /I2 BROKEN .*catalog\.db lacks order 5, and goes on to order \d+\nI3 BROKEN .*order-1\.db holds order 5, .*catalog\.db doesn't/,
      ],
      [
        "UPDATE orders SET price_cents = price_cents + 1 WHERE id = 3",
        "UPDATE orders SET price_cents = price_cents - 1 WHERE id = 3",
        /I3 BROKEN order 3, column price_cents: .*order-2\.db has \d+, .*catalog\.db has \d+\n/,
        2,
      ],
      [
        "INSERT INTO orders SELECT id + 1, 'new', name, type, 1, price_cents, term, created_at FROM orders ORDER BY id DESC LIMIT 1",
        "DELETE FROM orders WHERE key = 'new'",
        /I3 BROKEN .*order-3\.db goes on to order \d+, but .*catalog\.db ends at order \d+/,
        3,
      ],
    ];
    for (const [sql, undo, said, replica] of kinds) {
      const change = (statements: string) => {
        const database =
          replica === undefined ? openCatalogDatabase(cluster.dataDir) : openOrderDatabase(cluster.dataDir, replica);
        database.client.exec(statements);
        database.close();
      };
      change(sql);
      const told = await bazaar(cluster, "verify");
      expect(told.said).toMatch(said);
      expect(told.exit.code).toBe(1);
      change(undo);
    }
    expect(await bazaar(cluster, "verify")).toMatchObject({ exit: { code: 0 } });
  });
});
