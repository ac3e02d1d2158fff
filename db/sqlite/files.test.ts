import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { prepareWhole, putAside, putLeftoversAside } from "./files.ts";
import { migrateFile } from "./migrations.ts";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";

let folder: string;
let database: string;

beforeEach(() => {
  folder = temporaryFolder();
  database = join(folder, "catalog.db");
});

test("a database is put aside with its log, under names that belong together", () => {
  for (const suffix of ["", "-wal", "-shm"]) writeFileSync(database + suffix, `content${suffix}`);
  const aside = putAside(database) ?? "";
  expect(aside).toMatch(/catalog-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.db$/);
  expect(readFileSync(aside, "utf8")).toBe("content");
  expect(readFileSync(`${aside}-wal`, "utf8")).toBe("content-wal");
  expect(readdirSync(folder)).toHaveLength(2);
});

test("if there is nothing, or only an empty log, nothing is put aside", () => {
  expect(putAside(database)).toBeUndefined();
  for (const suffix of ["-wal", "-shm"]) writeFileSync(database + suffix, "");
  expect(putAside(database)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
});

test("a log is a leftover only without its database", () => {
  for (const suffix of ["", "-wal", "-shm"]) writeFileSync(database + suffix, `content${suffix}`);
  putLeftoversAside(database);
  expect(readdirSync(folder)).toHaveLength(3);
});

test("a new replica is empty, though the process that had the deleted file still runs", () => {
  migrateFile(orderFile(folder, 1), "orders");
  const old = openOrderDatabase(folder, 1);
  const insert = "INSERT INTO orders VALUES (?, 'k', 'GameStart', 'buy', 1, 1599, 1, '')";
  for (let id = 1; id <= 50; id += 1) old.client.prepare(insert).run(id);
  // Only the database itself: its log stays, and its index, which the old process still uses.
  rmSync(orderFile(folder, 1));

  migrateFile(orderFile(folder, 1), "orders");
  const fresh = openOrderDatabase(folder, 1);
  expect(fresh.client.prepare("SELECT COUNT(*) AS count FROM orders").get()).toEqual({ count: 0 });
  fresh.client.prepare(insert).run(1);
  old.client.prepare(insert).run(51);
  old.close();
  expect(fresh.client.prepare("SELECT id FROM orders").all()).toEqual([{ id: 1 }]);
  expect(fresh.client.pragma("integrity_check", { simple: true })).toBe("ok");
  fresh.close();
  expect(openOrderDatabase(folder, 1).client.prepare("SELECT id FROM orders").all()).toEqual([{ id: 1 }]);
});

test("a file is written whole, and nothing else is left", () => {
  const file = join(folder, "stocks.csv");
  prepareWhole(file, "old and long").put();
  prepareWhole(file, "new").put();
  expect(readFileSync(file, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["stocks.csv"]);
});
