import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { makeTradedDatabases } from "../../test/support/traded-databases.ts";
import { chosenLedgerStore } from "./chosen-store.ts";

test("without any setting the ledger is a file in DATA_DIR", () => {
  expect(chosenLedgerStore({ dataDir: "/somewhere" }).name).toBe(join("/somewhere", "catalog.db"));
});

test("a catalog opens its ledger and compares it with the replicas without loading a query builder", async () => {
  const dataDir = temporaryFolder();
  await makeTradedDatabases(dataDir);
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, "..", "..", name));
  const script = `
    const { chosenLedgerStore } = await import(${module("apps/ledger/chosen-store.ts")});
    const { requireOneHistory } = await import(${module("db/recovery/history.ts")});
    const databases = { dataDir: ${JSON.stringify(dataDir)}, replicas: new Map([[1, undefined]]) };
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
  expect(loaded.some((file) => file.includes("better-sqlite3"))).toBe(true);
  expect(loaded.filter((file) => file.includes("drizzle"))).toEqual([]);
});
