/** Migrated databases in memory, which are deleted when they are closed. */

import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { openInMemory } from "@stock-bazaar/sqlite/migrations";

/** Opens a catalog without stocks, or the one in `image`. */
export function openCatalogInMemory(image?: Buffer): CatalogDatabase {
  return openInMemory("catalog", image);
}

/** Opens the database of an empty replica. */
export function openOrdersInMemory(): OrderDatabase {
  return openInMemory("orders");
}
