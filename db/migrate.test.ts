import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from "drizzle-kit/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as catalogTables from "@stock-bazaar/ledger/sqlite/tables";
import { migrateAll } from "./migrate.ts";
import { migrationsFolder } from "@stock-bazaar/sqlite/schema-version";
import { openCatalogInMemory, openOrdersInMemory } from "../test/support/in-memory.ts";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import * as orderTables from "@stock-bazaar/order-log/sqlite/tables";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";

const address = { host: "127.0.0.1", port: 1 };
const replicas = new Map([
  [1, address],
  [7, address],
]);

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-migrate-"));
  dataDir = join(folder, "not", "there", "yet");
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("migrate", () => {
  test("creates the folder, the catalog and a database for every replica", async () => {
    expect(await migrateAll({ dataDir, replicas })).toEqual([
      { file: join(dataDir, "catalog.db"), migrations: expect.any(Number) },
      { file: join(dataDir, "order-1.db"), migrations: expect.any(Number) },
      { file: join(dataDir, "order-7.db"), migrations: expect.any(Number) },
    ]);

    const catalog = openCatalogDatabase(dataDir);
    expect(queryCatalog(catalog).select().from(catalogTables.register).all()).toEqual([
      { term: 0, leader: 0, head: 0, life: expect.stringMatching(uuid), firstTerm: 0, leaseMs: 0, endedCleanly: 0 },
    ]);
    catalog.close();
    openOrderDatabase(dataDir, 7).close();
    expect(existsSync(join(dataDir, "order-2.db"))).toBe(false);
  });

  test("changes nothing the second time, and keeps the register as the services left it", async () => {
    await migrateAll({ dataDir, replicas });
    const catalog = openCatalogDatabase(dataDir);
    const left = { term: 4, leader: 2, head: 9, life: "a life", firstTerm: 3, leaseMs: 5000, endedCleanly: 1 };
    queryCatalog(catalog).update(catalogTables.register).set(left).run();

    // The catalog's connection is open: services may be running.
    expect((await migrateAll({ dataDir, replicas })).map(({ migrations }) => migrations)).toEqual([0, 0, 0]);

    expect(queryCatalog(catalog).select().from(catalogTables.register).all()).toEqual([left]);
    catalog.close();
  });

  test("restores the register's row if it is missing", async () => {
    await migrateAll({ dataDir, replicas });
    const catalog = openCatalogDatabase(dataDir);
    queryCatalog(catalog).delete(catalogTables.register).run();
    catalog.close();
    expect(() => openCatalogDatabase(dataDir)).toThrow("npm run migrate");

    await migrateAll({ dataDir, replicas });

    openCatalogDatabase(dataDir).close();
  });
});

test("a catalog without initial_stocks gets them from its ledger", async () => {
  await migrateAll({ dataDir, replicas });
  const catalog = openCatalogDatabase(dataDir);
  const order = "'GameStart'";
  catalog.client.exec(`DROP TABLE initial_stocks;
    CREATE INDEX rejections_created_at ON rejections (created_at);
    ALTER TABLE register DROP COLUMN ended_cleanly;
    ALTER TABLE register DROP COLUMN lease_ms;
    ALTER TABLE register DROP COLUMN first_term;
    ALTER TABLE register DROP COLUMN life;
    PRAGMA user_version = 1;
    INSERT INTO stocks VALUES ('GameStart', 1599, 17, 8, 4), ('FishCo', 850, 30, 0, 0);
    INSERT INTO ledger VALUES (1, 'a', ${order}, 'buy', 5, 1599, 1, ''), (2, 'b', ${order}, 'buy', 2, 1599, 1, ''),
      (3, 'c', ${order}, 'sell', 1, 1599, 1, ''), (4, 'd', ${order}, 'restock', 3, 1599, 1, '')`);
  catalog.close();

  expect((await migrateAll({ dataDir, replicas }))[0]?.migrations).toBe(3);

  const migrated = openCatalogDatabase(dataDir);
  expect(
    queryCatalog(migrated).select().from(catalogTables.initialStocks).orderBy(catalogTables.initialStocks.name).all(),
  ).toEqual([
    { name: "FishCo", quantity: 30 },
    { name: "GameStart", quantity: 20 },
  ]);
  migrated.close();
});

test("a replica without a mark gets one: its orders are on the disk, and without any it may be new", async () => {
  await migrateAll({ dataDir, replicas });
  const earlier = openOrderDatabase(dataDir, 1);
  earlier.client.exec("INSERT INTO orders VALUES (1, 'a', 'GameStart', 'buy', 1, 1599, 1, '')");
  earlier.close();
  for (const id of [1, 7]) {
    const { client, close } = openOrderDatabase(dataDir, id);
    client.exec("DROP TABLE replica; PRAGMA user_version = 1");
    close();
  }
  await migrateAll({ dataDir, replicas });
  const marks = [1, 7].map((id) => {
    const { client, close } = openOrderDatabase(dataDir, id, "read");
    const rows = client.prepare("SELECT * FROM replica").all();
    close();
    return rows;
  });
  expect(marks).toEqual([[{ boot_id: "", synced: 1 }], [{ boot_id: "new", synced: 0 }]]);
});

describe("the tables", () => {
  test.each([
    ["catalog", openCatalogInMemory, ["initial_stocks", "ledger", "register", "rejections", "stocks"]],
    ["orders", openOrdersInMemory, ["orders", "replica"]],
  ] as const)("of %s are those of the design, all STRICT and NOT NULL", (_kind, open, names) => {
    const { client, close } = open();
    const tables = client.prepare(
      "SELECT name, strict FROM pragma_table_list WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
    );
    expect(tables.all()).toEqual(names.map((name) => ({ name, strict: 1 })));
    for (const name of names) {
      expect(client.prepare(`SELECT name FROM pragma_table_info('${name}') WHERE "notnull" = 0`).all()).toEqual([]);
    }
    close();
  });

  test("refuse what breaks an invariant", () => {
    const { client, close } = openCatalogInMemory();
    const order = (id: number, values: string) =>
      `INSERT INTO ledger VALUES (${id}, ${values}, '2026-01-01T00:00:00.000Z')`;
    client.exec("INSERT INTO stocks VALUES ('GameStart', 1599, 100, 0, 0)");
    client.exec(order(1, "'k1', 'GameStart', 'buy', 1, 1599, 1"));

    for (const [statement, constraint] of [
      ["UPDATE stocks SET quantity = -1", "stocks_quantity"],
      ["UPDATE stocks SET quantity = 'ten'", "cannot store TEXT"],
      ["INSERT INTO register (term, leader, head) VALUES (0, 0, 0)", "register_one_row"],
      ["UPDATE register SET first_term = -1", "register_first_term"],
      ["UPDATE register SET lease_ms = -1", "register_lease_ms"],
      ["UPDATE register SET ended_cleanly = 2", "register_ended_cleanly"],
      ["UPDATE register SET life = NULL", "register.life"],
      [order(2, "'k1', 'GameStart', 'buy', 1, 1599, 1"), "ledger.key"],
      [order(2, "'k2', 'GameStart', 'BUY', 1, 1599, 1"), "ledger_type"],
      [order(2, "'k2', 'GameStart', 'sell', 0, 1599, 1"), "ledger_quantity"],
      [order(1, "'k2', 'GameStart', 'sell', 1, 1599, 1"), "ledger.id"],
    ] as const) {
      expect(() => client.exec(statement), statement).toThrow(constraint);
    }
    close();
  });

  test("of a replica accept a key twice: the ledger has checked it", () => {
    const { client, close } = openOrdersInMemory();
    expect(client.prepare("SELECT name FROM pragma_index_list('orders')").all()).toEqual([]);
    close();
  });
});

test.each([
  ["catalog", catalogTables],
  ["orders", orderTables],
] as const)("the migrations of %s match the tables: `npm run generate` would add none", async (kind, tables) => {
  const meta = join(migrationsFolder(kind), "meta");
  const journal = JSON.parse(readFileSync(join(meta, "_journal.json"), "utf8")) as { entries: { idx: number }[] };
  const newest = String(journal.entries.at(-1)?.idx).padStart(4, "0");
  const migrated = JSON.parse(readFileSync(join(meta, `${newest}_snapshot.json`), "utf8")) as Parameters<
    typeof generateSQLiteMigration
  >[0];

  expect(await generateSQLiteMigration(migrated, await generateSQLiteDrizzleJson({ ...tables }))).toEqual([]);
});
