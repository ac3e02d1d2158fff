import { join } from "node:path";
import { expect, test } from "vitest";
import { newPostgresDatabase } from "../../test/support/postgres.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { chosenLedgerStore } from "./chosen-store.ts";

test("without any setting the ledger is a file in DATA_DIR", () => {
  expect(chosenLedgerStore({ dataDir: "/somewhere" }).name).toBe(join("/somewhere", "catalog.db"));
});

test("with LEDGER_URL it is a database on PostgreSQL, which is named without its password", () => {
  const ledgerUrl = "postgres://bazaar:secret@db.example/bazaar?password=secret";
  const { name, files } = chosenLedgerStore({ dataDir: "/somewhere", ledgerUrl });
  expect([name, files]).toEqual(["postgres://bazaar@db.example/bazaar", []]);
});

test("a catalog opens its ledger and compares it with the replicas without loading a query builder or pg", async () => {
  expect(await loadedBy(undefined)).toEqual({ "better-sqlite3": true, drizzle: false, "/pg/": false });
});

test("nor does one on PostgreSQL load a query builder", async () => {
  expect(await loadedBy(await newPostgresDatabase())).toEqual({ "better-sqlite3": true, drizzle: false, "/pg/": true });
});

/** Which packages a catalog has loaded when it has opened its ledger. */
async function loadedBy(ledgerUrl: string | undefined) {
  const dataDir = temporaryFolder();
  await makeTradedDatabases(dataDir, 12, undefined, ledgerUrl);
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, "..", "..", name));
  const script = `
    const { chosenLedgerStore } = await import(${module("apps/ledger/chosen-store.ts")});
    const { requireOneHistory } = await import(${module("db/recovery/history.ts")});
    const databases = { dataDir: ${JSON.stringify(dataDir)}, replicas: new Map([[1, undefined]]), ledgerUrl: ${JSON.stringify(ledgerUrl)} };
    await requireOneHistory(databases);
    const store = chosenLedgerStore(databases);
    const unlock = await store.lock();
    const ledger = await store.open();
    const { head } = await ledger.register();
    await ledger.close();
    await unlock();
    console.log(JSON.stringify({ head, loaded: Object.keys(require.cache) }));`;
  const { stdout, exited } = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const { head, loaded } = JSON.parse(await stdout.text()) as { head: number; loaded: string[] };
  expect([await exited, head]).toEqual([0, 12]);
  const packages = ["better-sqlite3", "drizzle", "/pg/"];
  return Object.fromEntries(packages.map((name) => [name, loaded.some((file) => file.includes(name))]));
}
