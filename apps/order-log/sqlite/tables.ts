/**
 * The table of order-N.db: a copy of the ledger's first orders, row for row (I3). No unique index on `key`:
 * the ledger has checked it, and on random keys a second one would halve the rate of trades.
 *
 * After a change here: `npm run generate`, which writes the migration.
 */

import { sqliteTable } from "drizzle-orm/sqlite-core";
import { orderChecks, orderColumns } from "@stock-bazaar/sqlite/order-columns";

export const orders = sqliteTable("orders", orderColumns(), () => orderChecks("orders"));
