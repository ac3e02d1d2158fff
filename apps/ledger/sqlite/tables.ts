/**
 * The tables of catalog.db: the stocks, and the ledger that explains every unit of them. People read these rows with
 * `sqlite3` and without a manual, so every invariant that a single row can break is a CHECK.
 *
 * After a change here, run `npm run generate`, which writes the migration.
 */

import { sql } from "drizzle-orm";
import { check, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { orderChecks, orderColumns } from "@stock-bazaar/sqlite/order-columns";

export const stocks = sqliteTable(
  "stocks",
  {
    name: text("name").primaryKey(),
    priceCents: integer("price_cents").notNull(),
    quantity: integer("quantity").notNull(),
    /** Units bought and sold so far. */
    volume: integer("volume").notNull(),
    /** The id of the last order that changed this stock; 0 before the first. */
    rev: integer("rev").notNull(),
  },
  () => [
    check("stocks_name", sql`name <> ''`),
    check("stocks_price_cents", sql`price_cents > 0`),
    check("stocks_quantity", sql`quantity >= 0`),
    check("stocks_volume", sql`volume >= 0`),
    check("stocks_rev", sql`rev >= 0`),
  ],
);

/** What each stock began with. Written once, with the stock. The ledger explains every unit since then (I1). */
export const initialStocks = sqliteTable(
  "initial_stocks",
  {
    name: text("name").primaryKey(),
    quantity: integer("quantity").notNull(),
  },
  () => [check("initial_stocks_quantity", sql`quantity >= 0`)],
);

/** Every change of a stock, in sequence. Ids are 1..head without a gap (I2); a key occurs once (R3). */
export const ledger = sqliteTable("ledger", orderColumns(), (table) => [
  uniqueIndex("ledger_key").on(table.key),
  ...orderChecks("ledger"),
]);

/** Rejected trades, so that a repeated key returns its first outcome (R3). Kept for at least 24 hours. */
export const rejections = sqliteTable(
  "rejections",
  {
    key: text("key").primaryKey(),
    /** What the trade asked for: the same key with another fingerprint is refused. */
    fingerprint: text("fingerprint").notNull(),
    reason: text("reason", { enum: ["INVALID_STOCKNAME", "INSUFFICIENT_QUANTITY"] }).notNull(),
    /** ISO 8601, UTC. */
    createdAt: text("created_at").notNull(),
  },
  () => [check("rejections_reason", sql`reason IN ('INVALID_STOCKNAME', 'INSUFFICIENT_QUANTITY')`)],
);

/**
 * One row: the leader, its term, the ledger's head and life, and the leases that an earlier catalog may have granted.
 * The unique index on a constant prevents a second row.
 */
export const register = sqliteTable(
  "register",
  {
    term: integer("term").notNull(),
    /** The id of an order replica; 0 before the first. */
    leader: integer("leader").notNull(),
    head: integer("head").notNull(),
    /** A random id that no other ledger has: each rebuilt ledger gets a new one. */
    life: text("life").notNull().default(""),
    /** The first term of that life. */
    firstTerm: integer("first_term").notNull().default(0),
    /** The longest lease that a front-end may hold, in milliseconds; 0 if unknown (R9). */
    leaseMs: integer("lease_ms").notNull().default(0),
    /** 1 if the catalog has ended and no front-end holds a lease, else 0. */
    endedCleanly: integer("ended_cleanly").notNull().default(0),
  },
  () => [
    uniqueIndex("register_one_row").on(sql`(1)`),
    check("register_term", sql`term >= 0`),
    check("register_leader", sql`leader >= 0`),
    check("register_head", sql`head >= 0`),
    check("register_first_term", sql`first_term >= 0`),
    check("register_lease_ms", sql`lease_ms >= 0`),
    check("register_ended_cleanly", sql`ended_cleanly IN (0, 1)`),
  ],
);
