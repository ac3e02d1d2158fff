import { createSqliteLedger } from "@stock-bazaar/catalog/ledger-sqlite";
import { migrateFile, openCatalogInMemory } from "@stock-bazaar/db/migrations";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "@stock-bazaar/db/open";
import type { Stock } from "@stock-bazaar/shared/domain";
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
