/** Migrated databases in memory, with the settings of files. They are deleted when they are closed. */

import { defaultStocksFile, readStocks } from "@stock-bazaar/db/seed";
import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { addStocks } from "@stock-bazaar/ledger/sqlite/stocks";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { connect, setUpForWriting, type Synchronous } from "@stock-bazaar/sqlite/connection";
import type { DatabaseKind } from "@stock-bazaar/sqlite/kind";
import { applyMigrations } from "@stock-bazaar/sqlite/migrations";
import { opened, type OpenDatabase } from "@stock-bazaar/sqlite/open";

/** Opens a catalog without stocks, or the one in `image`. */
export function openCatalogInMemory(image?: Buffer): CatalogDatabase {
  return openInMemory("catalog", image);
}

/** Opens a catalog with the default stocks. */
export function openSeededCatalog(): CatalogDatabase {
  const catalog = openCatalogInMemory();
  addStocks(catalog, readStocks(defaultStocksFile));
  return catalog;
}

/** Opens the database of an empty replica. */
export function openOrdersInMemory(synchronous: Synchronous = "NORMAL"): OrderDatabase {
  return openInMemory("orders", undefined, synchronous);
}

function openInMemory<Kind extends DatabaseKind>(
  kind: Kind,
  image?: Buffer,
  synchronous?: Synchronous,
): OpenDatabase<Kind> {
  const client = connect(image ?? ":memory:", "write");
  applyMigrations(client, kind);
  setUpForWriting(client, synchronous);
  return opened(kind, client);
}
