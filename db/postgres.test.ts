/** The commands for databases, with the ledger on PostgreSQL. What they do is tested with files, beside their code. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newPostgresDatabase, runSql } from "../test/support/postgres.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { databasesIn, makeTradedDatabases } from "../test/support/traded-databases.ts";
import { formatOrders, openOrderSource } from "./export-orders.ts";
import { importFiles } from "./import/import-catalog.ts";
import { migrateAll } from "./migrate.ts";
import { ownFiles } from "./own-files.ts";
import { requireNoLostCatalog, requireOneHistory } from "./recovery/history.ts";
import { rebuildCatalog, rebuildCatalogIfSafe } from "./recovery/rebuild-catalog.ts";
import { verify } from "./recovery/verify.ts";
import { countStocks, seed } from "./seed.ts";

async function traded() {
  const [dataDir, ledgerUrl] = [join(temporaryFolder(), "data"), await newPostgresDatabase()];
  await makeTradedDatabases(dataDir, 12, undefined, ledgerUrl);
  return { dataDir, ledgerUrl, databases: databasesIn(dataDir, ledgerUrl) };
}

const outcomes = async (databases: Parameters<typeof verify>[0]) =>
  (await verify(databases)).map(({ promise, outcome }) => `${promise} ${outcome}`);

test("migrate and seed make the ledger there, the copy of the stocks and the replicas here, and no catalog.db", async () => {
  const [dataDir, ledgerUrl] = [join(temporaryFolder(), "data"), await newPostgresDatabase()];
  const databases = databasesIn(dataDir, ledgerUrl);
  expect((await migrateAll(databases)).map(({ file, migrations }) => [file, migrations > 0])).toEqual([
    [ledgerUrl, true],
    ...[1, 2, 3].map((id) => [join(dataDir, `order-${id}.db`), true]),
  ]);
  expect(await seed(databases)).toEqual({ added: 10, kept: 0 });
  expect(await countStocks(databases)).toBe(10);
  expect(readFileSync(join(dataDir, "stocks.csv"), "utf8")).toContain("GameStart");
  expect(existsSync(join(dataDir, "catalog.db"))).toBe(false);
  expect(ownFiles(databases)).not.toContain(ledgerUrl);
});

test("verify finds the first difference in the ledger and in each replica", async () => {
  const { ledgerUrl, databases } = await traded();
  expect(await outcomes(databases)).toEqual(["I1 kept", "I2 kept", "I3 kept", "I3 kept", "I3 kept"]);
  await runSql(ledgerUrl, "UPDATE ledger SET quantity = 2 WHERE id = 5");
  expect(await outcomes(databases)).toEqual(["I1 broken", "I2 kept", "I3 broken", "I3 broken", "I3 broken"]);
  await runSql(ledgerUrl, "DELETE FROM ledger WHERE id = 12");
  await expect(requireOneHistory(databases)).rejects.toThrow(`${ledgerUrl} ends at order 11, but`);
});

test("a lost ledger is not replaced by an empty one, nor rebuilt unattended; a person rebuilds it", async () => {
  const { ledgerUrl, databases } = await traded();
  await runSql(ledgerUrl, "DROP SCHEMA bazaar CASCADE");
  for (const refuses of [requireNoLostCatalog, requireOneHistory, migrateAll, rebuildCatalogIfSafe])
    await expect(refuses(databases)).rejects.toThrow(/ is missing.*run `npm run rebuild-catalog`/);
  await expect(rebuildCatalogIfSafe(databases)).rejects.toThrow("correct LEDGER_URL");
  expect(await rebuildCatalog(databases)).toMatchObject({ file: ledgerUrl, orders: 12, aside: undefined });
  expect(await outcomes(databases)).toEqual(["I1 kept", "I2 kept", "I3 kept", "I3 kept", "I3 kept"]);
  await requireOneHistory(databases);
  await expect(rebuildCatalog(databases)).rejects.toThrow("exists and is correct: there is nothing to mend");
});

test("a ledger that is behind the replicas is moved aside when it is rebuilt", async () => {
  const { ledgerUrl, databases } = await traded();
  await runSql(ledgerUrl, "DELETE FROM ledger WHERE id = 12; UPDATE register SET head = 11");
  const { aside } = await rebuildCatalog(databases);
  expect(aside).toMatch(/^the schema bazaar_[\d_]+ in postgres:/);
  expect(await outcomes(databases)).toEqual(["I1 kept", "I2 kept", "I3 kept", "I3 kept", "I3 kept"]);
});

test("what is exported can be imported into another database", async () => {
  const { dataDir, databases } = await traded();
  const source = await openOrderSource(databases);
  const text = await Array.fromAsync(formatOrders(source.parts(0), "csv"));
  source.close();
  const [stocksFile, orders] = ["stocks-now.csv", "orders.csv"].map((name) => join(dataDir, name));
  if (stocksFile === undefined || orders === undefined) throw new Error("two files must be named");
  // Without restocks, which an import doesn't know.
  writeFileSync(orders, text.join("").replace(/^.*restock.*\n/m, ""));
  writeFileSync(stocksFile, "name,price,quantity\nGameStart,15.99,97\nFishCo,8.50,99\nBoarCo,23.75,0\n");

  const other = databasesIn(join(temporaryFolder(), "data"), await newPostgresDatabase());
  const options = {
    stocksFile,
    orderFiles: [orders],
    renumber: false,
    dryRun: false,
    createdAt: "2026-01-01T00:00:00Z",
  };
  const imported = await importFiles(other, options);
  expect(imported).toMatchObject({ file: other.ledgerUrl, orders: 11 });
  expect((await outcomes(other)).slice(0, 2)).toEqual(["I1 kept", "I2 kept"]);
  await expect(importFiles(other, options)).rejects.toThrow("holds 11 orders already");
});
