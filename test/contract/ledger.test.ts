import type { Ledger } from "@stock-bazaar/ledger/ledger";
import { createSqliteLedger } from "@stock-bazaar/ledger/sqlite/sqlite-ledger";
import { postgresLedgerStore } from "@stock-bazaar/ledger/postgres/postgres-store";
import { connect } from "@stock-bazaar/sqlite/connection";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { openCatalogInMemory } from "../support/in-memory.ts";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import type { Stock, Trade } from "@stock-bazaar/shared/domain";
import { expect, test } from "vitest";
import { accepted, allStocks, createdAt, stockOf, tradeOf, tradesOf } from "../support/builders.ts";
import { damageTable } from "../support/damage.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { rejectionCode } from "../support/observe.ts";
import { newPostgresDatabase, runSql } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { ledgerContract } from "./ledger.ts";

function insertStocks(database: CatalogDatabase, stocks: readonly Stock[]): void {
  const insert = database.client.prepare(
    "INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES (?, ?, ?, ?, ?)",
  );
  for (const { name, priceCents, quantity, volume, rev } of stocks) insert.run(name, priceCents, quantity, volume, rev);
}

ledgerContract("in SQLite, in memory", { survives: false }, async (stocks) => {
  const database = openCatalogInMemory();
  insertStocks(database, stocks);
  return { ledger: createSqliteLedger(database) };
});

ledgerContract("in SQLite, in a file", { survives: true }, async (stocks) => {
  const folder = temporaryFolder();
  migrateFile(catalogFile(folder), "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, stocks);
  return {
    ledger: createSqliteLedger(database),
    reopen: async () => createSqliteLedger(openCatalogDatabase(folder)),
  };
});

ledgerContract("on PostgreSQL", { survives: true }, async (stocks) => {
  const url = await newPostgresDatabase();
  const store = postgresLedgerStore(url);
  await store.migrate();
  const values = stocks.map(
    ({ name, priceCents, quantity, volume, rev }) =>
      `('${name.replaceAll("'", "''")}', ${priceCents}, ${quantity}, ${volume}, ${rev})`,
  );
  await runSql(
    url,
    `INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES ${values.join()};
     UPDATE register SET stock_count = ${stocks.length}`,
  );
  return { ledger: await store.open(), reopen: () => postgresLedgerStore(url).open() };
});

test("what another connection commits is seen by the next batch: stocks, new ones, a term", async () => {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, [stockOf("GameStart", { quantity: 10 })]);
  const ledger = createSqliteLedger(database);
  await ledger.acquire({ replica: 1, term: 0, last: undefined });
  const apply = async (...trades: readonly Trade[]) =>
    (await ledger.apply({ last: undefined, term: 1, trades, createdAt })).outcomes;
  const unknown = tradeOf("b", { name: "LateCo" });
  expect(await apply(tradeOf("a"), unknown)).toMatchObject([accepted(1), { reason: "INVALID_STOCKNAME" }]);

  const other = connect(file, "write");
  other.exec("UPDATE stocks SET quantity = 2");
  other.exec("INSERT INTO stocks (name, price_cents, quantity, volume, rev) VALUES ('LateCo', 100, 5, 0, 0)");
  expect(await apply(tradeOf("c", { quantity: 3 }), { ...unknown, key: "d" })).toMatchObject([
    { reason: "INSUFFICIENT_QUANTITY" },
    accepted(2),
  ]);
  expect(await ledger.stocks(["GameStart"])).toMatchObject([{ quantity: 2 }]);

  other.exec("UPDATE register SET term = 2");
  expect(await rejectionCode(apply(tradeOf("e")))).toBe("FENCED");
  other.close();
  await ledger.close();
});

test("a last order that another connection has changed is compared as it is now", async () => {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, [stockOf("GameStart")]);
  const ledger = createSqliteLedger(database);
  await ledger.acquire({ replica: 1, term: 0, last: undefined });
  const trades = tradesOf("a", 1);
  const [last] = (await ledger.apply({ last: undefined, term: 1, trades, createdAt })).orders;
  const other = connect(file, "write");
  other.exec("UPDATE ledger SET price_cents = price_cents + 1");
  other.close();
  expect(await rejectionCode(ledger.acquire({ replica: 2, term: 1, last }))).toBe("DIVERGED");
  expect(await rejectionCode(ledger.apply({ last, term: 1, trades: tradesOf("b", 1), createdAt }))).toBe("DIVERGED");
  await ledger.close();
});

test("more stocks than are remembered are traded all the same", async () => {
  const database = openCatalogInMemory();
  const names = Array.from({ length: 50_010 }, (_, index) => `stock ${index}`);
  insertStocks(
    database,
    names.map((name) => stockOf(name, { quantity: 1 })),
  );
  const ledger = createSqliteLedger(database);
  await ledger.acquire({ replica: 1, term: 0, last: undefined });
  const buyAll = async (prefix: string) => {
    const trades = names.map((name, index) => tradeOf(`${prefix} ${index}`, { name }));
    return (await ledger.apply({ last: undefined, term: 1, trades, createdAt })).outcomes;
  };
  expect((await buyAll("a")).every(({ status }) => status === "accepted")).toBe(true);
  expect((await buyAll("b")).every(({ status }) => status === "rejected")).toBe(true);
});

test("a read of a damaged page is refused as retryable, and the error that names the file is reported", async () => {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, [stockOf("GameStart", { quantity: 10_000 })]);
  const ledger = createSqliteLedger(database);
  await ledger.acquire({ replica: 1, term: 0, last: undefined });
  await ledger.apply({ last: undefined, term: 1, trades: tradesOf("a", 2000), createdAt });
  await ledger.close();
  damageTable(file, "ledger", "in the middle");

  const reported: unknown[] = [];
  const damaged = createSqliteLedger(openCatalogDatabase(folder), (error) => reported.push(error));
  expect(await rejectionCode(damaged.ordersAfter(0, 2000))).toBe("STORAGE_UNAVAILABLE");
  expect(reported).toEqual([expect.objectContaining({ problem: "damaged", file })]);
  await damaged.close();
});

test.each([
  ["stocks", "stocksFrom", (ledger: Ledger) => ledger.stocksFrom(allStocks)],
  ["stocks", "stocks", (ledger: Ledger) => ledger.stocks(["GameStart"])],
  ["register", "register", (ledger: Ledger) => ledger.register()],
] as const)("a damaged page of %s is reported by %s", async (table, _, read) => {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, [stockOf("GameStart", { quantity: 10_000 })]);
  database.close();
  const reported: unknown[] = [];
  const opened = openCatalogDatabase(folder);
  const ledger = createSqliteLedger(opened, (error) => reported.push(error));
  // The connection is open but hasn't read the page yet: a disk may fail at any time.
  opened.client.pragma("wal_checkpoint(TRUNCATE)");
  damageTable(file, table, "at the start");
  opened.client.pragma("shrink_memory");
  expect(await rejectionCode(read(ledger))).toBe("STORAGE_UNAVAILABLE");
  expect(reported).toEqual([expect.objectContaining({ problem: "damaged", file })]);
  await ledger.close();
});

test("reads work while another process locks the database, and no write blocks the process", async () => {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const database = openCatalogDatabase(folder);
  insertStocks(database, [stockOf("GameStart")]);
  const clock = new ManualClock();
  const ledger = createSqliteLedger(database, () => {}, { clock, patienceMs: 500 });
  await ledger.acquire({ replica: 1, term: 0, last: undefined });
  const other = connect(file, "write");
  other.exec("BEGIN IMMEDIATE");
  const begunMs = performance.now();
  const writes = [
    ledger.apply({ last: undefined, term: 1, trades: tradesOf("a", 1), createdAt }),
    ledger.restock({ last: undefined, term: 1, quantity: 5, after: "", limit: 10, createdAt }),
    ledger.acquire({ replica: 1, term: 1, last: undefined }),
    ledger.setLeases({ leaseMs: 500, endedCleanly: false }),
    ledger.forgetRejections(1, 10),
    ledger.tryWrite(),
  ].map((write) => rejectionCode(write));
  expect(await ledger.stocks(["GameStart"])).toHaveLength(1);
  expect(await ledger.stocksFrom({ start: "", inclusive: true, limit: 10 })).toHaveLength(1);
  expect(await ledger.ordersAfter(0, 10)).toEqual([]);
  expect(await ledger.register()).toMatchObject({ term: 1 });
  // With SQLite's own waiting, each write would block for 2 s.
  expect(performance.now() - begunMs).toBeLessThan(1000);
  await clock.advance(600);
  expect(await Promise.all(writes)).toEqual(writes.map(() => "STORAGE_UNAVAILABLE"));
  other.close();
  await ledger.tryWrite();
  await ledger.close();
});
