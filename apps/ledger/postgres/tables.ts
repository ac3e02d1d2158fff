/**
 * The tables of a ledger on PostgreSQL: those of catalog.db, with the same names and columns, and in the register what
 * only a ledger on a server needs. Text is compared by its UTF-8 bytes (COLLATE "C"), as in SQLite, whatever the
 * database's collation is.
 *
 * They stand in a schema of their own (`schema.ts`). After a change here, run `npm run generate`, which writes the migration.
 */

import { sql } from "drizzle-orm";
import { bigint, check, customType, pgTable, uniqueIndex } from "drizzle-orm/pg-core";

const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });
const whole = (name: string) => bigint(name, { mode: "number" });

export const stocks = pgTable(
  "stocks",
  {
    name: text("name").primaryKey(),
    priceCents: whole("price_cents").notNull(),
    quantity: whole("quantity").notNull(),
    /** Units bought and sold so far. */
    volume: whole("volume").notNull(),
    /** The id of the last order that changed this stock; 0 before the first. */
    rev: whole("rev").notNull(),
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
export const initialStocks = pgTable(
  "initial_stocks",
  {
    name: text("name").primaryKey(),
    quantity: whole("quantity").notNull(),
  },
  () => [check("initial_stocks_quantity", sql`quantity >= 0`)],
);

/** Every change of a stock, in sequence. Ids are 1..head without a gap (I2); a key occurs once (R3). */
export const ledger = pgTable(
  "ledger",
  {
    id: whole("id").primaryKey(),
    /** The idempotency key of the trade (R3). */
    key: text("key").notNull(),
    name: text("name").notNull(),
    type: text("type").notNull(),
    quantity: whole("quantity").notNull(),
    priceCents: whole("price_cents").notNull(),
    term: whole("term").notNull(),
    /** ISO 8601, UTC: the same text as in every replica. */
    createdAt: text("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("ledger_key").on(table.key),
    check("ledger_id", sql`id >= 1`),
    check("ledger_type", sql`type IN ('buy', 'sell', 'restock')`),
    check("ledger_quantity", sql`quantity > 0`),
    check("ledger_price_cents", sql`price_cents > 0`),
    check("ledger_term", sql`term >= 1`),
  ],
);

/** Rejected trades, so that a repeated key returns its first outcome (R3). Kept for at least 24 hours. */
export const rejections = pgTable(
  "rejections",
  {
    key: text("key").primaryKey(),
    /** What the trade asked for: the same key with another fingerprint is refused. */
    fingerprint: text("fingerprint").notNull(),
    reason: text("reason").notNull(),
    /** ISO 8601, UTC. */
    createdAt: text("created_at").notNull(),
    /** Its sequence number among all rejections, from the register: never reused. */
    place: whole("place").notNull(),
  },
  (table) => [
    uniqueIndex("rejections_place").on(table.place),
    check("rejections_reason", sql`reason IN ('INVALID_STOCKNAME', 'INSUFFICIENT_QUANTITY')`),
  ],
);

/**
 * One row. Every transaction that writes locks it first, so they run one after the other, and all numbers come from it:
 * a sequence would leave gaps. The unique index on a constant prevents a second row.
 */
export const register = pgTable(
  "register",
  {
    term: whole("term").notNull(),
    /** The id of an order replica; 0 before the first. */
    leader: whole("leader").notNull(),
    head: whole("head").notNull(),
    /** A random id that no other ledger has: each rebuilt ledger gets a new one. */
    life: text("life").notNull(),
    /** The first term of that life. */
    firstTerm: whole("first_term").notNull().default(0),
    /** The longest lease that a front-end may hold, in milliseconds; 0 if unknown (R9). */
    leaseMs: whole("lease_ms").notNull().default(0),
    /** 1 if the catalog has ended and no front-end holds a lease, else 0. */
    endedCleanly: whole("ended_cleanly").notNull().default(0),
    /** The number of rows in `stocks`. None is ever removed, so another number means new ones. */
    stockCount: whole("stock_count").notNull().default(0),
    /** The place of the newest rejection; 0 before the first. */
    lastRejection: whole("last_rejection").notNull().default(0),
    /** Grows with each process that takes the ledger over. A transaction of an earlier one changes nothing. */
    epoch: whole("epoch").notNull().default(0),
    /** The process of that epoch, for people; empty once it has released the ledger. */
    holder: text("holder").notNull().default(""),
    /** Grows while that process lives, even if it writes nothing else. */
    beat: whole("beat").notNull().default(0),
    /** The timeline of the server when it was looked at last; 0 if it doesn't tell. A failover begins another. */
    timeline: whole("timeline").notNull().default(0),
    /** Grows with each transaction of that process. Tells whether a COMMIT without an answer has happened. */
    writes: whole("writes").notNull().default(0),
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

/** The applied migrations, by their number from 1. */
export const migrations = pgTable("migrations", {
  number: whole("number").primaryKey(),
  /** The name of its file in `migrations/postgres/`. */
  name: text("name").notNull(),
});
