/** What a ledger requires of a replica that leads or wants to lead, wherever it is stored (R1, R2). */

import { isSameOrder, type Order, type Register } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

type Lead = Pick<Register, "term" | "leader">;

/** Throws FENCED unless `term` is the register's. An old term changes nothing. */
export function requireTerm(term: number, register: Lead): void {
  if (register.term !== term) throw new BazaarError("FENCED", passed(term, register));
}

/** Throws STALE_TERM unless `term`, the newest one that a replica knows, is the register's. */
export function requireNewestTerm(term: number, register: Lead): void {
  if (register.term !== term) throw new BazaarError("STALE_TERM", passed(term, register));
}

/**
 * Throws DIVERGED unless `found`, the ledger's order with the id of `last`, is the same row. New orders get the ids after
 * `last`: a ledger without that row would give out ids that are already in use. `hint` ends the message.
 */
export function requireSameOrder(
  last: Order | undefined,
  found: Order | undefined,
  { head, replica, hint }: { readonly head: number; readonly replica: number; readonly hint: string },
): void {
  if (last === undefined || isSameOrder(found, last)) return;
  const missing = last.id > head ? `ends at ${head}, before` : "holds another order at";
  throw new BazaarError("DIVERGED", `the ledger ${missing} order ${last.id} of replica ${replica}: ${hint}`);
}

function passed(term: number, { term: now, leader }: Lead): string {
  return `term ${term} has passed: replica ${leader} has led since term ${now}`;
}
