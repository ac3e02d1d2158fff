/**
 * The tables of order-N.db. `orders` is a copy of the ledger's first orders, row for row (I3), with no unique index on
 * `key`: the ledger has checked it, and on random keys a second one would halve the rate of trades.
 *
 * After a change here: `npm run generate`, which writes the migration.
 */

import { sql } from "drizzle-orm";
import { check, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { orderChecks, orderColumns } from "@stock-bazaar/sqlite/order-columns";

export const orders = sqliteTable("orders", orderColumns(), () => orderChecks("orders"));

/** One row: the mark from which `isWhole` concludes whether the file may have lost orders (../replica-mark.ts). */
export const replica = sqliteTable(
  "replica",
  {
    /** The start of the machine since which no order was lost; '' if unknown; 'new' before the first use. */
    bootId: text("boot_id").notNull(),
    /** 1 if everything is on the disk. */
    synced: integer("synced").notNull(),
  },
  () => [uniqueIndex("replica_one_row").on(sql`(1)`), check("replica_synced", sql`synced IN (0, 1)`)],
);
