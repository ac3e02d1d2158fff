import { existsSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initialStocks, ledger } from "@stock-bazaar/ledger/sqlite/tables";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { keptStocksFile } from "@stock-bazaar/db/kept-stocks";
import { seed } from "@stock-bazaar/db/seed";
import { verify } from "@stock-bazaar/db/recovery/verify";
import { SetupError } from "@stock-bazaar/shared/errors";
import { beforeEach, expect, test } from "vitest";
import { damageTable } from "../../../test/support/damage.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { databasesIn, makeTradedDatabases } from "../../../test/support/traded-databases.ts";
import { prepareDatabases, requireCatalogBeside, requireReplicasBeside } from "./prepare-databases.ts";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

let dataDir: string;
let databases: ReturnType<typeof databasesIn>;
let logged: string[];

beforeEach(() => {
  dataDir = temporaryFolder();
  databases = databasesIn(dataDir);
  logged = [];
});

async function prepare(): Promise<void> {
  const log = (_figures: object, message: string) => void logged.push(message);
  await prepareDatabases(databases, { info: log, warn: log });
}

const isRight = async () => (await verify(databases)).every(({ differences }) => differences.length === 0);

test("an empty folder gets migrated databases with the default stocks, and a second call changes nothing", async () => {
  await prepare();
  expect(logged).toEqual(["migrated", "migrated", "migrated", "migrated", "seeded the empty catalog"]);
  expect(await isRight()).toBe(true);
  logged = [];
  await prepare();
  expect(logged).toEqual([]);
});

test("a catalog that was lost before the first order gets the stocks that it was seeded with", async () => {
  await prepare();
  const own = join(dataDir, "own.csv");
  writeFileSync(own, "name,price,quantity\nTux,1.50,3\n");
  await seed(databases, own);
  rmSync(catalogFile(dataDir));
  await prepare();
  const again = openCatalogDatabase(dataDir);
  expect(queryCatalog(again).select().from(initialStocks).all()).toContainEqual({ name: "Tux", quantity: 3 });
  again.close();
});

test("if one database is lost while everything runs, the others must exist, and an empty file counts as missing", async () => {
  await prepare();
  const replica = orderFile(dataDir, 1);
  await expect(requireCatalogBeside(replica, databases)).resolves.toBeUndefined();
  expect(() => requireReplicasBeside(databases)).not.toThrow();
  writeFileSync(orderFile(dataDir, 2), "");
  expect(() => requireReplicasBeside(databases)).toThrow(SetupError);
  rmSync(orderFile(dataDir, 3));
  expect(() => requireReplicasBeside(databases)).toThrow(
    /^.*catalog\.db is missing, and so are .*order-2\.db, .*order-3\.db: put back/,
  );
  writeFileSync(catalogFile(dataDir), "");
  await expect(requireCatalogBeside(replica, databases)).rejects.toThrow(
    /^.*order-1\.db is missing, and so is .*catalog\.db: put back/,
  );
});

test("any one lost database is created again, the catalog with all orders", async () => {
  await makeTradedDatabases(dataDir);
  for (const file of [1, 2, 3].map((id) => orderFile(dataDir, id))) {
    rmSync(file);
    await prepare();
    expect(await isRight()).toBe(true);
    // As its leader would fill it.
    const replica = openOrderDatabase(dataDir, Number(file.at(-4)));
    replica.client.prepare("ATTACH ? AS catalog").run(catalogFile(dataDir));
    replica.client.exec("INSERT INTO orders SELECT * FROM catalog.ledger; UPDATE replica SET synced = 1");
    replica.close();
  }
  logged = [];
  rmSync(catalogFile(dataDir));
  await prepare();
  expect(logged).toEqual([
    "the catalog is missing: trying to rebuild it",
    "rebuilt the catalog from a replica's orders",
  ]);
  expect(await isRight()).toBe(true);
  const catalog = openCatalogDatabase(dataDir);
  expect(queryCatalog(catalog).select().from(ledger).all()).toHaveLength(12);
  catalog.close();
});

test("orders that may be lost with the catalog stop it, and nothing is created", async () => {
  await makeTradedDatabases(dataDir);
  rmSync(catalogFile(dataDir));
  rmSync(orderFile(dataDir, 3));
  await expect(prepare()).rejects.toThrow(SetupError);
  await expect(prepare()).rejects.toThrow(/so is .*order-3\.db: put that file back, or run `npm run rebuild-catalog`/);
  expect(existsSync(catalogFile(dataDir))).toBe(false);
  expect(existsSync(orderFile(dataDir, 3))).toBe(false);
  expect(existsSync(keptStocksFile(dataDir))).toBe(true);
});

test("a missing catalog with unreadable replicas stops it: they may hold orders", async () => {
  await makeTradedDatabases(dataDir);
  rmSync(catalogFile(dataDir));
  for (const id of [1, 2, 3]) damageTable(orderFile(dataDir, id), "orders", "at the end");
  await expect(prepare()).rejects.toThrow(
    /order-1\.db can't be read: put that file back, or run `npm run rebuild-catalog`/,
  );
  expect(existsSync(catalogFile(dataDir))).toBe(false);
});

test("replicas that are empty files are new if there is no catalog", async () => {
  await prepare();
  rmSync(catalogFile(dataDir));
  rmSync(keptStocksFile(dataDir));
  for (const id of [1, 2, 3]) truncateSync(orderFile(dataDir, id));
  await prepare();
  expect(await isRight()).toBe(true);
});

test("a catalog that is behind a replica stops it", async () => {
  await makeTradedDatabases(dataDir);
  const catalog = openCatalogDatabase(dataDir);
  catalog.client.exec("DELETE FROM ledger WHERE id = 12");
  catalog.close();
  await expect(prepare()).rejects.toThrow(/ends at order 11, but .*order-1\.db goes on to order 12/);
});
