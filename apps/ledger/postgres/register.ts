/** The register's row, and the statements that services and tools read it with. */

import { advice } from "@stock-bazaar/process/advice";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { LedgerRegister, Leases } from "../ledger.ts";
import type { Write } from "./connection.ts";

export interface RegisterRow extends LedgerRegister {
  readonly leaseMs: number;
  readonly endedCleanly: number;
  readonly lastRejection: number;
  readonly epoch: number;
  readonly holder: string;
  readonly writes: number;
}

/** What a transaction may change in the register. */
export type RegisterChange = Partial<
  Pick<RegisterRow, "term" | "leader" | "head" | "leaseMs" | "endedCleanly" | "lastRejection" | "writes">
>;

const text = `SELECT term, leader, head, life, first_term AS "firstTerm", stock_count AS stocks, lease_ms AS "leaseMs",
  ended_cleanly AS "endedCleanly", last_rejection AS "lastRejection", epoch, holder, writes FROM register`;

export const readRegister = { name: "register", text };
/** A statement that locked the row and read others too would see the new head and the old rows. */
export const lockRegister = { name: "lock-register", text: `${text} FOR UPDATE` };

const writeRegister = {
  name: "set-register",
  text: `UPDATE register SET term = $1, leader = $2, head = $3, lease_ms = $4, ended_cleanly = $5, last_rejection = $6,
    writes = $7`,
};

/** Committed like any write, but changes nothing. It finds no row once another process has the ledger. */
export const proof = { name: "proof", text: "UPDATE register SET head = head WHERE epoch = $1" };

/** The register as a transaction leaves it: changed, and with the transaction counted. */
export function changed(register: RegisterRow, change: RegisterChange): RegisterRow {
  const next = { ...register, ...change };
  return { ...next, writes: next.writes + 1 };
}

export function setRegister({ term, leader, head, leaseMs, endedCleanly, lastRejection, writes }: RegisterRow): Write {
  return [writeRegister, [term, leader, head, leaseMs, endedCleanly, lastRejection, writes]];
}

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
