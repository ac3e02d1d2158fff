/** Prepared reads that a running catalog and the tools share. */

import { advice } from "@stock-bazaar/process/advice";
import type { SqliteClient } from "@stock-bazaar/sqlite/connection";
import { orderFields } from "@stock-bazaar/sqlite/order-rows";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { LedgerRegister, Leases } from "../ledger.ts";

export const stockColumns = "name, price_cents AS priceCents, quantity, volume, rev";

/** A rejection's sequence number is its rowid. */
export const lastRejection = "SELECT ifnull(max(rowid), 0) AS place FROM rejections";

export function prepareReads(client: SqliteClient) {
  return {
    register: client.prepare<[], LedgerRegister>(
      // Stocks are never deleted, so the highest rowid is their count; COUNT(*) would read every row.
      `SELECT term, leader, head, life, first_term AS firstTerm, (SELECT ifnull(max(rowid), 0) FROM stocks) AS stocks
       FROM register`,
    ),
    leases: client.prepare<[], LeasesRow>("SELECT lease_ms AS leaseMs, ended_cleanly AS endedCleanly FROM register"),
    stocksFrom: client.prepare<[string, number], Stock>(
      `SELECT ${stockColumns} FROM stocks WHERE name >= ? ORDER BY name LIMIT ?`,
    ),
    stocksAfter: client.prepare<[string, number], Stock>(
      `SELECT ${stockColumns} FROM stocks WHERE name > ? ORDER BY name LIMIT ?`,
    ),
    orderById: client.prepare<[number], Order>(`SELECT ${orderFields} FROM ledger WHERE id = ?`),
    ordersAfter: client.prepare<[number, number], Order>(
      `SELECT ${orderFields} FROM ledger WHERE id > ? ORDER BY id LIMIT ?`,
    ),
  };
}

interface LeasesRow {
  readonly leaseMs: number;
  readonly endedCleanly: number;
}

export function requireRegister(row: LedgerRegister | undefined): LedgerRegister {
  if (!row) throw new BazaarError("INTERNAL_ERROR", `the register must have a row (got none): ${advice.migrate}`);
  return row;
}

export function leasesOf({ leaseMs, endedCleanly }: LeasesRow = { leaseMs: 0, endedCleanly: 0 }): Leases {
  return { leaseMs, endedCleanly: endedCleanly === 1 };
}
