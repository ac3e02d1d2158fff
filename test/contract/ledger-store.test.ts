import { readdirSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { postgresLedgerStore } from "@stock-bazaar/ledger/postgres/postgres-store";
import { sqliteLedgerStore } from "@stock-bazaar/ledger/sqlite/sqlite-store";
import { expect, test } from "vitest";
import { ordersOf } from "../support/builders.ts";
import { newPostgresDatabase, runSql } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ledgerStoreContract } from "./ledger-store.ts";

ledgerStoreContract("in SQLite", () => {
  const dataDir = temporaryFolder();
  return {
    store: sqliteLedgerStore(dataDir),
    other: sqliteLedgerStore(dataDir),
    tamper(sql) {
      const { client, close } = openCatalogDatabase(dataDir);
      client.exec(`PRAGMA ignore_check_constraints = ON; ${sql}`);
      close();
    },
    lose() {
      for (const end of ["", "-wal", "-shm"]) rmSync(`${catalogFile(dataDir)}${end}`, { force: true });
    },
  };
});

ledgerStoreContract("on PostgreSQL", async () => {
  const url = await newPostgresDatabase();
  return {
    store: postgresLedgerStore(url),
    other: postgresLedgerStore(url),
    async tamper(sql) {
      await runSql(url, `ALTER TABLE stocks DROP CONSTRAINT IF EXISTS stocks_quantity; ${sql}`);
    },
    lose: () => runSql(url, "DROP SCHEMA bazaar CASCADE"),
  };
});

test("`files` names every file that a store creates", async () => {
  const dataDir = temporaryFolder();
  const store = sqliteLedgerStore(dataDir);
  await store.migrate();
  const unlock = await store.lock();
  const ledger = await store.open();
  for (const name of readdirSync(dataDir)) expect(store.files.map((file) => basename(file))).toContain(name);
  await ledger.close();
  await unlock();
});

test("a replacement leaves no file behind except the one that was moved aside, and none if it fails", async () => {
  const dataDir = temporaryFolder();
  const store = sqliteLedgerStore(dataDir);
  await store.migrate();
  const stocks = [{ name: "GameStart", priceCents: 1599, quantity: 100 }];
  await expect(store.replaceWith({ stocks, pages: [ordersOf(2, 3)] })).rejects.toThrow(
    "the next order must be 1 (got 2)",
  );
  // The first reader creates the files that all readers share.
  const files = () => readdirSync(dataDir).filter((name) => !/-(shm|wal)$/.test(name));
  expect(files()).toEqual(["catalog.db"]);
  const { aside = "" } = await store.replaceWith({ stocks, pages: [ordersOf(1, 3)] });
  expect(dirname(aside)).toBe(dataDir);
  expect(files().toSorted()).toEqual([basename(aside), "catalog.db"].toSorted());
});
