/** Migrated databases that are gone when they are closed. */

import type { CatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import type { OrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { openInMemory } from "@stock-bazaar/sqlite/migrations";

/** A catalog without stocks, or this image of one. */
export function openCatalogInMemory(image?: Buffer): CatalogDatabase {
  return openInMemory("catalog", image);
}

/** An empty replica. */
export function openOrdersInMemory(): OrderDatabase {
  return openInMemory("orders");
}
