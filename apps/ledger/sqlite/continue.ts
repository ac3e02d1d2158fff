/** Continues a catalog's database that is an old copy by the orders that it lacks. */

import { explained } from "@stock-bazaar/sqlite/connection";
import { sqliteFailure } from "@stock-bazaar/sqlite/failures";
import type { Replayed } from "../replay.ts";
import type { LedgerContent } from "../store.ts";
import { openCatalogDatabase } from "./database.ts";
import { continueLedger } from "./replay-orders.ts";

/** One transaction, which stays open while the pages are read: the caller's lock keeps other writers away. */
export async function continueCatalog(dataDir: string, pages: LedgerContent["pages"]): Promise<Replayed> {
  const catalog = openCatalogDatabase(dataDir);
  const { client, kind } = catalog;
  try {
    client.exec("BEGIN IMMEDIATE");
    const replay = continueLedger(catalog);
    for await (const page of pages) replay.add(page);
    const end = replay.end(Date.now());
    client.exec("COMMIT");
    return end;
  } catch (error) {
    if (client.inTransaction) client.exec("ROLLBACK");
    throw sqliteFailure(error) === "other" ? error : explained(client.name, kind, error);
  } finally {
    catalog.close();
  }
}
