import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect, durably } from "./connection.ts";
import { stocks } from "@stock-bazaar/ledger/sqlite/tables";
import { DatabaseError } from "./database-error.ts";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { orders } from "@stock-bazaar/order-log/sqlite/tables";
import { queryCatalog } from "@stock-bazaar/ledger/sqlite/query";
import { queryOrders } from "@stock-bazaar/order-log/sqlite/query";

let dataDir: string;
const address = { host: "127.0.0.1", port: 1 };
const replicas = new Map([[1, address]]);

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "bazaar-open-"));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

async function problemOf(open: () => unknown): Promise<{ problem: string; message: string }> {
  try {
    await open();
  } catch (error) {
    if (error instanceof DatabaseError) return { problem: error.problem, message: error.message };
    throw error;
  }
  throw new Error("the database was opened");
}

describe("a database is refused, with its name and the command to run,", () => {
  test("when the catalog is missing", async () => {
    expect(await problemOf(() => openCatalogDatabase(dataDir))).toEqual({
      problem: "missing",
      message: `${dataDir}/catalog.db does not exist: run \`npm run migrate\`, then \`npm run seed\``,
    });
  });

  test("when a replica's file is missing, for reading too", async () => {
    const missing = {
      problem: "missing",
      message: `${dataDir}/order-3.db does not exist: run \`npm run migrate\``,
    };
    expect(await problemOf(() => openOrderDatabase(dataDir, 3))).toEqual(missing);
    expect(await problemOf(() => openOrderDatabase(dataDir, 3, "read"))).toEqual(missing);
  });

  test("when it is an empty file, left by a migration that was killed at once", async () => {
    writeFileSync(catalogFile(dataDir), "");
    expect(await problemOf(() => openCatalogDatabase(dataDir))).toEqual({
      problem: "not-migrated",
      message: `${dataDir}/catalog.db is not migrated: run \`npm run migrate\``,
    });
  });

  test("when it is not a SQLite database; the file stays unchanged", async () => {
    await migrateAll({ dataDir, replicas });
    writeFileSync(orderFile(dataDir, 1), "my shopping list\n".repeat(100));
    for (const open of [() => openOrderDatabase(dataDir, 1), () => migrateAll({ dataDir, replicas })]) {
      const { problem, message } = await problemOf(open);
      expect(problem).toBe("not-sqlite");
      expect(message).toMatch(/order-1\.db is not a SQLite database: .*npm run migrate/);
    }
    expect(readFileSync(orderFile(dataDir, 1), "utf8")).toBe("my shopping list\n".repeat(100));
  });

  test("when it is a foreign SQLite database; the file stays unchanged", async () => {
    await migrateAll({ dataDir, replicas });
    const file = orderFile(dataDir, 1);
    rmSync(file);
    const own = connect(file, "write");
    own.exec("CREATE TABLE recipes (name TEXT)");
    own.close();
    const before = readFileSync(file);
    expect((await problemOf(() => openOrderDatabase(dataDir, 1))).problem).toBe("wrong-kind");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("when it is the database of another service", async () => {
    await migrateAll({ dataDir, replicas });
    copyFileSync(catalogFile(dataDir), orderFile(dataDir, 2));
    expect((await problemOf(() => openOrderDatabase(dataDir, 2))).problem).toBe("wrong-kind");
    expect((await problemOf(() => migrateAll({ dataDir, replicas: new Map([[2, address]]) }))).problem).toBe(
      "wrong-kind",
    );
  });

  test("when it lacks the newest migrations, or has some that this program lacks", async () => {
    await migrateAll({ dataDir, replicas });
    const { client, close } = openOrderDatabase(dataDir, 1);
    client.pragma("user_version = 99");
    expect((await problemOf(() => openOrderDatabase(dataDir, 1))).problem).toBe("too-new");
    client.pragma("user_version = 0");
    expect((await problemOf(() => openOrderDatabase(dataDir, 1))).message).toContain("npm run migrate");
    close();
  });
});

test("a commit doesn't wait for the disk where that is asked for, except if it must be durable", async () => {
  await migrateAll({ dataDir, replicas });
  const { client, close } = openOrderDatabase(dataDir, 1, "write", "NORMAL");
  const setting = () => client.pragma("synchronous", { simple: true });
  expect(setting()).toBe(1);
  durably(client, () => expect(setting()).toBe(2));
  expect(() =>
    durably(client, () => {
      throw new Error("no write");
    }),
  ).toThrow("no write");
  expect(setting()).toBe(1);
  close();
});

test("a commit is on the disk: WAL, and synchronous FULL on every new connection", async () => {
  await migrateAll({ dataDir, replicas });
  for (const { client, close } of [openCatalogDatabase(dataDir), openOrderDatabase(dataDir, 1)]) {
    expect(client.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(client.pragma("synchronous", { simple: true })).toBe(2);
    expect(client.pragma("busy_timeout", { simple: true })).toBeGreaterThan(0);
    // macOS only, and of no effect elsewhere.
    expect(client.pragma("fullfsync", { simple: true })).toBe(1);
    // A log that grew during a long read is truncated.
    expect(client.pragma("journal_size_limit", { simple: true })).toBe(64 * 1024 * 1024);
    expect(client.pragma("wal_autocheckpoint", { simple: true })).toBe(4000);
    close();
  }
});

test("drizzle and the raw client work on one connection", async () => {
  await migrateAll({ dataDir, replicas });
  const database = openOrderDatabase(dataDir, 1);
  const { client, close } = database;
  const db = queryOrders(database);
  const order = {
    id: 1,
    key: "k",
    name: "GameStart",
    type: "buy",
    quantity: 1,
    priceCents: 1599,
    term: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
  } as const;
  client.transaction(() => db.insert(orders).values(order).run())();
  expect(db.select().from(orders).all()).toEqual([order]);
  close();
  close();
});

test("a tool reads beside a service that writes, and can't write itself", async () => {
  await migrateAll({ dataDir, replicas });
  const service = openCatalogDatabase(dataDir);
  const tool = openCatalogDatabase(dataDir, "read");
  const stock = { name: "GameStart", priceCents: 1599, quantity: 100, volume: 0, rev: 0 };

  queryCatalog(service).insert(stocks).values(stock).run();

  expect(queryCatalog(tool).select().from(stocks).all()).toEqual([stock]);
  expect(() => tool.client.exec("DELETE FROM stocks")).toThrow("readonly");
  tool.close();
  service.close();
});
