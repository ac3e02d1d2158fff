/**
 * What this front-end has seen of the ledger. It says so with each question, so that a catalog which was put back from an
 * old copy learns that its ledger was longer once, and answers nothing instead of what was before (R2).
 */

import type { Seen } from "@stock-bazaar/shared/domain";

export class SeenLedger {
  #seen: Seen | undefined;

  /** `undefined`: nothing yet. */
  get seen(): Seen | undefined {
    return this.#seen;
  }

  /** The ledger of this life has come so far, as the catalog or a leader says. */
  ends({ life, head }: Seen): void {
    const known = this.#seen;
    this.#seen = { life, head: known?.life === life ? Math.max(head, known.head) : head };
  }

  /**
   * An order with this number exists, says the answer to a question that was sent when `asked` was all that had been seen.
   * With another life known by now, nobody can tell of which one the number is.
   */
  reaches(id: number, asked: Seen | undefined): void {
    if (asked !== undefined && asked.life === this.#seen?.life) this.ends({ life: asked.life, head: id });
  }
}
