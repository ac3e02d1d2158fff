/**
 * Builds a catalog's database in a temporary folder. The file gets its final name once it is complete and synced, so
 * this can be killed at any point and run again. An existing file is moved aside under another name, not deleted.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { putInPlace, syncToDisk } from "@stock-bazaar/sqlite/files";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import type { Order } from "@stock-bazaar/shared/domain";
import { nothingUsed, type Replayed, type Used } from "../replay.ts";
import type { LedgerContent, Replaced } from "../store.ts";
import { catalogFile, openCatalogDatabase } from "./database.ts";
import { startReplay, usedBy } from "./replay-orders.ts";
import { addStocks } from "./stocks.ts";

const workshopPrefix = "rebuilding-catalog-";

export async function replaceCatalog(dataDir: string, content: LedgerContent): Promise<Replaced> {
  for (const left of readdirSync(dataDir).filter((name) => name.startsWith(workshopPrefix))) {
    rmSync(join(dataDir, left), { recursive: true });
  }
  const workshop = mkdtempSync(join(dataDir, workshopPrefix));
  try {
    const replayed = await build(workshop, content, usedBefore(dataDir));
    syncToDisk(catalogFile(workshop));
    const aside = putInPlace(catalogFile(workshop), catalogFile(dataDir));
    return { ...replayed, aside };
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

async function build(workshop: string, { stocks, pages }: LedgerContent, used: Used): Promise<Replayed> {
  migrateFile(catalogFile(workshop), "catalog");
  const catalog = openCatalogDatabase(workshop);
  const { client } = catalog;
  try {
    // The file is private and a failure deletes it, so a journal would only cost time and disk space.
    client.pragma("journal_mode = OFF");
    client.pragma("synchronous = OFF");
    addStocks(catalog, stocks);
    const replay = startReplay(catalog, used);
    const add = client.transaction((page: readonly Order[]) => replay.add(page));
    for await (const page of pages) add.immediate(page);
    const end = client.transaction(() => replay.end(Date.now()));
    const replayed = end.immediate();
    client.pragma("journal_mode = WAL");
    return replayed;
  } finally {
    catalog.close();
  }
}

/** What the existing catalog has used, if it can still be read. */
function usedBefore(dataDir: string): Used {
  try {
    const catalog = openCatalogDatabase(dataDir, "read");
    try {
      return usedBy(catalog);
    } finally {
      catalog.close();
    }
  } catch {
    return nothingUsed;
  }
}
