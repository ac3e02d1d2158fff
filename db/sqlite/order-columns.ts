/** The columns of an order, defined once for the ledger and every replica, so that both hold the same rows (I3). */

import { sql } from "drizzle-orm";
import { check, integer, text } from "drizzle-orm/sqlite-core";

/** New column builders for one table. */
export function orderColumns() {
  return {
    id: integer("id").primaryKey(),
    /** The idempotency key of the trade (R3). */
    key: text("key").notNull(),
    name: text("name").notNull(),
    type: text("type", { enum: ["buy", "sell", "restock"] }).notNull(),
    quantity: integer("quantity").notNull(),
    priceCents: integer("price_cents").notNull(),
    term: integer("term").notNull(),
    /** ISO 8601, UTC. */
    createdAt: text("created_at").notNull(),
  };
}

/** The constraints of every order; `table` makes their names unique. */
export function orderChecks(table: string) {
  return [
    check(`${table}_id`, sql`id >= 1`),
    check(`${table}_type`, sql`type IN ('buy', 'sell', 'restock')`),
    check(`${table}_quantity`, sql`quantity > 0`),
    check(`${table}_price_cents`, sql`price_cents > 0`),
    check(`${table}_term`, sql`term >= 1`),
  ];
}
