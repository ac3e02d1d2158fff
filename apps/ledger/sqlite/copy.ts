/** Writes a copy of another ledger into a new catalog's database. */

import { prepareInsert } from "@stock-bazaar/sqlite/insert-rows";
import { isMissing } from "@stock-bazaar/sqlite/files";
import { orderColumns, orderValues } from "@stock-bazaar/sqlite/order-rows";
import { copiedRegister, rejectionPages, requireUnused, stockPages } from "../copy.ts";
import { orderPages } from "../order-pages.ts";
import type { LedgerView } from "../store.ts";
import { type CatalogDatabase, catalogFile } from "./database.ts";
import { buildCatalog } from "./replace.ts";
import { readCatalog } from "./view.ts";

export async function copyCatalog(
  dataDir: string,
  source: LedgerView,
  compare: (copy: LedgerView) => Promise<void>,
): Promise<string | undefined> {
  const file = catalogFile(dataDir);
  if (!isMissing(file)) {
    await readCatalog(dataDir, async (view) => requireUnused(file, await view.register(), await view.lastRejection()));
  }
  const { aside } = await buildCatalog(dataDir, {
    fill: (catalog) => fill(catalog, source),
    check: (folder) => readCatalog(folder, compare),
  });
  return aside;
}

async function fill({ client }: CatalogDatabase, source: LedgerView): Promise<void> {
  const insertAll = async <Row>(
    table: string,
    columns: readonly string[],
    pages: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
    valuesOf: (row: Row) => readonly (string | number)[],
  ) => {
    const insert = prepareInsert(client, table, columns);
    const insertPage = client.transaction((page: readonly Row[]) => insert(page.map(valuesOf)));
    for await (const page of pages) insertPage.immediate(page);
  };
  await insertAll(
    "stocks",
    ["name", "price_cents", "quantity", "volume", "rev"],
    stockPages(source),
    ({ name, priceCents, quantity, volume, rev }) => [name, priceCents, quantity, volume, rev],
  );
  await insertAll("initial_stocks", ["name", "quantity"], [await source.initialStocks()], ({ name, quantity }) => [
    name,
    quantity,
  ]);
  await insertAll(
    "rejections",
    ["rowid", "key", "fingerprint", "reason", "created_at"],
    rejectionPages(source),
    ({ place, key, fingerprint, reason, createdAt }) => [place, key, fingerprint, reason, createdAt],
  );
  await insertAll("ledger", orderColumns, orderPages(source), orderValues);
  const { term, leader, head, life, firstTerm, leaseMs } = await copiedRegister(source, Date.now());
  client
    .prepare<[number, number, number, string, number, number]>(
      "UPDATE register SET term = ?, leader = ?, head = ?, life = ?, first_term = ?, lease_ms = ?, ended_cleanly = 0",
    )
    .run(term, leader, head, life, firstTerm, leaseMs);
}
