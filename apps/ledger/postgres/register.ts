/** The register's row, and the statements that services and tools read it with. */

import { advice } from "@stock-bazaar/process/advice";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { LedgerRegister, Leases } from "../ledger.ts";

export interface RegisterRow extends LedgerRegister {
  readonly leaseMs: number;
  readonly endedCleanly: number;
  readonly lastRejection: number;
  readonly epoch: number;
  readonly holder: string;
  readonly writes: number;
}

const text = `SELECT term, leader, head, life, first_term AS "firstTerm", stock_count AS stocks, lease_ms AS "leaseMs",
  ended_cleanly AS "endedCleanly", last_rejection AS "lastRejection", epoch, holder, writes FROM register`;

export const readRegister = { name: "register", text };
/** A statement that locked the row and read others too would see the new head and the old rows. */
export const lockRegister = { name: "lock-register", text: `${text} FOR UPDATE` };

export function requireRow(rows: readonly RegisterRow[]): RegisterRow {
  const [row] = rows;
  if (!row) throw new BazaarError("INTERNAL_ERROR", `the register must have a row (got none): ${advice.migrate}`);
  return row;
}

export function registerOf({ term, leader, head, life, firstTerm, stocks }: RegisterRow): LedgerRegister {
  return { term, leader, head, life, firstTerm, stocks };
}

export function leasesOf({ leaseMs, endedCleanly }: RegisterRow): Leases {
  return { leaseMs, endedCleanly: endedCleanly === 1 };
}
