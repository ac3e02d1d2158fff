/** Verifying and rebuilding with what the replicas' services tell. Here they tell it of files, without gRPC. */

import { existsSync, rmSync } from "node:fs";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { orderOf } from "../../test/support/builders.ts";
import { newPostgresDatabase } from "../../test/support/postgres.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { databasesIn, makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { keptStocksFile } from "../kept-stocks.ts";
import { rebuildFromServices } from "./rebuild-from-services.ts";
import type { ReplicaService } from "./replica-services.ts";
import { verifyServices } from "./verify-services.ts";

const traded = tradedCopies();
let dataDir: string;
let config: { dataDir: string; ledgerUrl?: string };
let services: ReplicaService[];

beforeEach(() => {
  dataDir = traded.copy();
  config = { dataDir };
  services = servicesIn(dataDir);
});

/** Services of the replicas whose files are in a folder that the tools don't know. */
function servicesIn(folder: string): ReplicaService[] {
  return [1, 2, 3].map((id) => {
    const log = createSqliteOrderLog(new ReplicaFile(folder, id).open());
    onTestFinished(() => log.close());
    return {
      name: `replica ${id} at order-${id}:6001`,
      readCopy: async (after, limit) => ({
        orders: await log.after(after, limit),
        lastId: (await log.newest(0, 1))[0]?.id ?? 0,
        isWhole: true,
      }),
    };
  });
}

function change(id: number, sql: string): void {
  const database = id === 0 ? openCatalogDatabase(dataDir) : new ReplicaFile(dataDir, id).open();
  database.client.exec(sql);
  database.close();
}

const answering = (id: number, change: Partial<ReplicaService>) =>
  services.map((service, index) => (index === id - 1 ? { ...service, ...change } : service));
const silent = (id: number) =>
  answering(id, { readCopy: () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer in 3000 ms")) });
const lines = async (asked = services) =>
  (await verifyServices(config, asked)).map(({ promise, file, what, outcome, differences }) =>
    `${promise} ${outcome} ${outcome === "kept" ? `${file}: ${what}` : differences.join()}`.replaceAll(
      `${dataDir}/`,
      "",
    ),
  );
const outcomes = async (asked = services) => (await verifyServices(config, asked)).map(({ outcome }) => outcome);
const allKept = ["kept", "kept", "kept", "kept", "kept"];

describe("verify", () => {
  test("compares each replica with the ledger, wherever it is", async () => {
    change(1, "DELETE FROM orders WHERE id > 7");
    change(2, "DELETE FROM orders");
    expect(await lines()).toEqual([
      "I1 kept catalog.db: the ledger explains the quantities of 10 stocks",
      "I2 kept catalog.db: the ledger's numbers are 1 to 12",
      "I3 kept replica 1 at order-1:6001: 7 orders, as in the ledger row for row",
      "I3 kept replica 2 at order-2:6001: 0 orders, as in the ledger row for row",
      "I3 kept replica 3 at order-3:6001: 12 orders, as in the ledger row for row",
    ]);
  });

  test.each([
    [
      "UPDATE orders SET price_cents = 7 WHERE id = 3",
      "order 3, column price_cents: replica 2 at order-2:6001 has 7, catalog.db has 1599",
    ],
    ["DELETE FROM orders WHERE id = 5", "replica 2 at order-2:6001 lacks order 5, and goes on to order 12"],
    [
      "INSERT INTO orders SELECT id + 1, 'new', name, type, 1, price_cents, term, created_at FROM orders WHERE id = 12",
      "replica 2 at order-2:6001 goes on to order 13, but catalog.db ends at order 12",
    ],
  ])("%s", async (sql, difference) => {
    change(2, sql);
    expect((await lines())[3]).toBe(`I3 broken ${difference}`);
    expect((await outcomes()).filter((outcome) => outcome === "kept")).toHaveLength(4);
  });

  test("an order that the ledger lacks in the middle shows", async () => {
    change(0, "DELETE FROM ledger WHERE id = 5");
    expect((await lines())[2]).toBe("I3 broken replica 1 at order-1:6001 holds order 5, catalog.db doesn't");
  });

  test("a service that doesn't answer is unread and named; one that isn't whole gets a note", async () => {
    expect((await lines(silent(2)))[3]).toBe(
      "I3 unread replica 2 at order-2:6001 can't be read: no answer in 3000 ms: is it running, and is ORDER_REPLICAS right?",
    );
    const [service] = services;
    const readCopy = async (after: number, limit: number) => {
      if (!service) throw new Error("a service must be there");
      return { ...(await service.readCopy(after, limit)), isWhole: false };
    };
    const checks = await verifyServices(config, answering(1, { readCopy }));
    expect(checks.map(({ note }) => note?.slice(0, 31))).toEqual([
      undefined,
      undefined,
      "it may not have caught up since",
      undefined,
      undefined,
    ]);
  });

  test("a replica that is fed meanwhile, and a ledger that grows, are no difference", async () => {
    const [, second] = services;
    if (!second) throw new Error("a service must be there");
    let asked = 0;
    const readCopy = async (after: number, limit: number) => {
      const page = await second.readCopy(after, limit);
      asked += 1;
      // After its end was asked for, a trade is written to the ledger, then to the replica.
      if (asked === 1) {
        change(
          0,
          "INSERT INTO ledger SELECT 13, 'late', name, type, 50, price_cents, term, created_at FROM ledger WHERE id = 12",
        );
        change(0, "UPDATE register SET head = 13; UPDATE stocks SET quantity = 100, rev = 13 WHERE name = 'BoarCo'");
        change(
          2,
          "INSERT INTO orders SELECT 13, 'late', name, type, 50, price_cents, term, created_at FROM orders WHERE id = 12",
        );
      }
      return page;
    };
    expect(await lines(answering(2, { readCopy }))).toContain(
      "I3 kept replica 2 at order-2:6001: 12 orders, as in the ledger row for row",
    );
  });

  test("without a ledger the command that rebuilds it is named", async () => {
    rmSync(catalogFile(dataDir));
    expect(await lines(silent(3))).toEqual([
      "I1 unread catalog.db is missing, but replica 1 at order-1:6001 holds 12 orders: run `npm run rebuild-catalog -- --from-services`",
      "I3 unread replica 1 at order-1:6001 has nothing to be compared with",
      "I3 unread replica 2 at order-2:6001 has nothing to be compared with",
      "I3 unread replica 3 at order-3:6001 can't be read: no answer in 3000 ms: is it running, and is ORDER_REPLICAS right?",
    ]);
  });
});

describe("rebuild-catalog", () => {
  test("a missing catalog is rebuilt of the longest replica", async () => {
    rmSync(catalogFile(dataDir));
    change(1, "DELETE FROM orders WHERE id > 7");
    change(3, "DELETE FROM orders");
    expect(await rebuildFromServices(config, services)).toEqual({
      file: catalogFile(dataDir),
      orders: 12,
      replica: "replica 2 at order-2:6001",
      stocks: keptStocksFile(dataDir),
      aside: undefined,
      missing: [],
      notWhole: [],
    });
    expect(await outcomes()).toEqual(allKept);
    await expect(rebuildFromServices(config, services)).rejects.toThrow(
      "catalog.db exists and is correct: there is noth",
    );
  });

  test("one that is behind the replicas, and one that contradicts itself, are moved aside", async () => {
    change(0, "DELETE FROM ledger WHERE id = 12; UPDATE register SET head = 11");
    expect((await rebuildFromServices(config, services)).aside).toMatch(/catalog-.*\.db$/);
    change(0, "UPDATE stocks SET quantity = 57 WHERE name = 'BoarCo'");
    expect((await rebuildFromServices(config, services)).aside).toMatch(/catalog-.*\.db$/);
    expect(await outcomes()).toEqual(allKept);
  });

  test("not while a replica doesn't answer: it may hold the only copy of an order", async () => {
    rmSync(catalogFile(dataDir));
    await expect(rebuildFromServices(config, silent(3))).rejects.toThrow(
      "replica 3 at order-3:6001 can't be read: no answer in 3000 ms, and may hold orders that no other replica has: start it, or set ORDER_REPLICAS without it",
    );
    expect(existsSync(catalogFile(dataDir))).toBe(false);
    expect(await rebuildFromServices(config, services.slice(0, 2))).toMatchObject({ orders: 12 });
  });

  test("not of replicas that contradict each other", async () => {
    rmSync(catalogFile(dataDir));
    change(2, "UPDATE orders SET quantity = 2 WHERE id = 7");
    await expect(rebuildFromServices(config, services)).rejects.toThrow(
      "the replicas contradict each other: order 7, column quantity: replica 2 at order-2:6001 has 2, replica 1 at order-1:6001 has 1",
    );
    expect(existsSync(catalogFile(dataDir))).toBe(false);
  });

  test("not while a replica gets orders: a catalog runs somewhere", async () => {
    rmSync(catalogFile(dataDir));
    const [, second] = services;
    if (!second) throw new Error("a service must be there");
    const readCopy = async (after: number, limit: number) => {
      const page = await second.readCopy(after, limit);
      const late =
        "INSERT INTO orders SELECT 13, 'late', name, type, 1, price_cents, term, created_at FROM orders WHERE id = 12";
      if (limit === 0 && page.lastId === 12) change(2, late);
      return page;
    };
    await expect(rebuildFromServices(config, answering(2, { readCopy }))).rejects.toThrow(
      "replica 2 at order-2:6001 must end at order 12 (got 13 now): a catalog still runs: stop every catalog first",
    );
    expect(existsSync(catalogFile(dataDir))).toBe(false);
  });

  test("not beside a catalog that has the ledger, nor over orders that only the ledger has", async () => {
    const unlock = await chosenLedgerStore(config).lock();
    await expect(rebuildFromServices(config, services)).rejects.toThrow("is held by a running service");
    await unlock();
    change(0, "UPDATE stocks SET volume = 99 WHERE name = 'BoarCo'");
    for (const id of [1, 2, 3]) change(id, "DELETE FROM orders WHERE id > 10");
    await expect(rebuildFromServices(config, services)).rejects.toThrow(
      "But only the ledger has the orders from 11 to 12",
    );
  });

  test("replicas that may lack orders are named", async () => {
    rmSync(catalogFile(dataDir));
    const asked = services.map(({ name, readCopy }) => ({
      name,
      readCopy: async (after: number, limit: number) => ({ ...(await readCopy(after, limit)), isWhole: false }),
    }));
    expect((await rebuildFromServices(config, asked)).notWhole).toEqual(services.map(({ name }) => name));
  });

  test("stocks that the orders contradict are refused, and named", async () => {
    rmSync(catalogFile(dataDir));
    rmSync(keptStocksFile(dataDir));
    const odd = answering(2, {
      readCopy: async (after, limit) => ({
        orders: limit > 0 && after < 1 ? [orderOf(1, { name: "Nowhere" })] : [],
        lastId: 1,
        isWhole: true,
      }),
    }).slice(1, 2);
    await expect(rebuildFromServices(config, odd)).rejects.toThrow(
      /the replicas and .*stocks\.csv don't belong together: order 1 trades "Nowhere"/,
    );
  });

  test("a ledger on PostgreSQL", async () => {
    const [folder, ledgerUrl] = [temporaryFolder(), await newPostgresDatabase()];
    await makeTradedDatabases(folder);
    config = { dataDir: databasesIn(folder).dataDir, ledgerUrl };
    services = servicesIn(folder);
    expect(await rebuildFromServices(config, services)).toMatchObject({ file: ledgerUrl, orders: 12 });
    expect(await outcomes()).toEqual(allKept);
  });
});
