/**
 * Builds a catalog's database in a temporary folder, from orders or as a copy. The file gets its final name once it is complete
 * and synced, so this can be killed at any point and run again. An existing file is moved aside under another name, not
 * deleted.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { putInPlace, syncToDisk } from "@stock-bazaar/sqlite/files";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import type { Order } from "@stock-bazaar/shared/domain";
import { nothingUsed, type Used } from "../replay.ts";
import type { LedgerContent, Replaced } from "../store.ts";
import { type CatalogDatabase, catalogFile, openCatalogDatabase } from "./database.ts";
import { startReplay, usedBy } from "./replay-orders.ts";
import { addStocks } from "./stocks.ts";

const workshopPrefix = "rebuilding-catalog-";

export async function replaceCatalog(dataDir: string, { stocks, pages }: LedgerContent): Promise<Replaced> {
  const used = usedBefore(dataDir);
  const { result, aside } = await buildCatalog(dataDir, {
    async fill(catalog) {
      const { client } = catalog;
      addStocks(catalog, stocks);
      const replay = startReplay(catalog, used);
      const add = client.transaction((page: readonly Order[]) => replay.add(page));
      for await (const page of pages) add.immediate(page);
      const end = client.transaction(() => replay.end(Date.now()));
      return end.immediate();
    },
  });
  return { ...result, aside };
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

export interface Built<Result> {
  readonly result: Result;
  /** The new name of the file that was there; `undefined` if there was none. */
  readonly aside: string | undefined;
}

export interface BuildOptions<Result> {
  /** Fills the migrated database. */
  readonly fill: (catalog: CatalogDatabase) => Promise<Result>;
  /** Receives the folder of the finished database. If it rejects, the file isn't put in place. */
  readonly check?: (folder: string) => Promise<void>;
}

export async function buildCatalog<Result>(
  dataDir: string,
  { fill, check = async () => {} }: BuildOptions<Result>,
): Promise<Built<Result>> {
  for (const left of readdirSync(dataDir).filter((name) => name.startsWith(workshopPrefix))) {
    rmSync(join(dataDir, left), { recursive: true });
  }
  const workshop = mkdtempSync(join(dataDir, workshopPrefix));
  try {
    const result = await fillNew(workshop, fill);
    await check(workshop);
    syncToDisk(catalogFile(workshop));
    return { result, aside: putInPlace(catalogFile(workshop), catalogFile(dataDir)) };
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

async function fillNew<Result>(workshop: string, fill: BuildOptions<Result>["fill"]): Promise<Result> {
  migrateFile(catalogFile(workshop), "catalog");
  const catalog = openCatalogDatabase(workshop);
  const { client } = catalog;
  try {
    // The file is private and a failure deletes it, so a journal would only cost time and disk space.
    client.pragma("journal_mode = OFF");
    client.pragma("synchronous = OFF");
    const result = await fill(catalog);
    client.pragma("journal_mode = WAL");
    return result;
  } finally {
    catalog.close();
  }
}
