import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { readConfig } from "@stock-bazaar/process/config";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkNothingLost, isNothingLost } from "./nothing-lost.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "bazaar-bench-"));
  await migrateAll(readConfig({ DATA_DIR: dataDir }));
});

afterEach(() => rmSync(dataDir, { recursive: true }));

/** Writes the orders from 1 to `count`, each with its own key. */
function fill(table: "ledger" | "orders", replicaId: number, count: number, keyOf = (id: number) => `key-${id}`): void {
  const database = table === "ledger" ? openCatalogDatabase(dataDir) : openOrderDatabase(dataDir, replicaId);
  const insert = database.client.prepare<[number, string]>(
    `INSERT INTO ${table} VALUES (?, ?, 'GameStart', 'buy', 1, 1599, 1, '2026-01-01T00:00:00.000Z')`,
  );
  for (let id = 1; id <= count; id += 1) insert.run(id, keyOf(id));
  database.close();
}

test("nothing is lost when the ledger holds every answered trade and every replica equals the ledger", async () => {
  fill("ledger", 0, 3);
  for (const id of [1, 2, 3]) fill("orders", id, 3);
  const check = await checkNothingLost({ dataDir }, [1, 2, 3], 2);
  expect(check).toEqual({ replies: 2, ledgerRows: 3, unequalReplicas: [] });
  expect(isNothingLost(check)).toBe(true);
});

test("a reply without its order is a loss", async () => {
  fill("ledger", 0, 3);
  fill("orders", 1, 3);
  const check = await checkNothingLost({ dataDir }, [1], 4);
  expect(check).toEqual({ replies: 4, ledgerRows: 3, unequalReplicas: [] });
  expect(isNothingLost(check)).toBe(false);
});

test("replicas with a missing, an extra or a different order are reported", async () => {
  fill("ledger", 0, 3);
  fill("orders", 1, 2);
  fill("orders", 2, 4);
  fill("orders", 3, 3, (id) => (id === 2 ? "another" : `key-${id}`));
  const check = await checkNothingLost({ dataDir }, [1, 2, 3], 3);
  expect(check.unequalReplicas).toEqual([1, 2, 3]);
  expect(isNothingLost(check)).toBe(false);
});
