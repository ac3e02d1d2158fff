/**
 * Detects a ledger that has lost its end. A catalog on an old copy would reuse the numbers of acknowledged orders and
 * return old quantities. It can't detect that alone: it compares the ledger with what front-ends and replicas have seen
 * (R2).
 */

import type { Order, Seen } from "@stock-bazaar/shared/domain";
import type { LedgerRegister } from "@stock-bazaar/ledger/ledger";

/** True if a front-end has seen a later head. A head of another life doesn't count: the rebuild was a decision. */
export function isShorterThanSeen({ life, head }: Seen, seen: Seen): boolean {
  return seen.life === life && seen.head > head;
}

/**
 * True if the ledger lacks a replica's last order. The order's term identifies its life: terms below `firstTerm` are
 * from before the rebuild. A ledger that has not reached that term is a copy from before it.
 */
export function endsBefore({ firstTerm, term, head }: LedgerRegister, last: Order): boolean {
  return last.term > term || (last.term >= firstTerm && last.id > head);
}
