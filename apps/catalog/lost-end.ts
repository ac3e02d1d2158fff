/**
 * Has the ledger lost its end? A catalog that is put back from an old copy would give the numbers of acknowledged orders to
 * others, and tell quantities from before. It can't see that by itself: it learns it from what others have seen (R2).
 */

import type { Order, Seen } from "@stock-bazaar/shared/domain";
import type { LedgerRegister } from "@stock-bazaar/ledger/ledger";

/** With another life a person has decided, at the rebuild, what there is. */
export function isShorterThanSeen({ life, head }: Seen, seen: Seen): boolean {
  return seen.life === life && seen.head > head;
}

/** The same, of a replica's last order: its term tells the life. A ledger that has no such term yet is a copy from before it. */
export function endsBefore({ firstTerm, term, head }: LedgerRegister, last: Order): boolean {
  return last.term > term || (last.term >= firstTerm && last.id > head);
}
