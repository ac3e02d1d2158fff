/**
 * The highest head of the ledger that this front-end has seen. The front-end sends it with each request, so that a
 * catalog on an old copy detects that its ledger was longer before, and refuses to answer with old values (R2).
 */

import type { Seen } from "@stock-bazaar/shared/domain";

export class SeenLedger {
  #seen: Seen | undefined;

  /** `undefined` before the first answer. */
  get seen(): Seen | undefined {
    return this.#seen;
  }

  /** Records a head that the catalog or a leader has reported. */
  ends({ life, head }: Seen): void {
    const known = this.#seen;
    this.#seen = { life, head: known?.life === life ? Math.max(head, known.head) : head };
  }

  /**
   * Records an order id from an answer; `asked` is the value of `seen` when the request was sent. The id is ignored if
   * the life has changed since then, as it may be of either life.
   */
  reaches(id: number, asked: Seen | undefined): void {
    if (asked !== undefined && asked.life === this.#seen?.life) this.ends({ life: asked.life, head: id });
  }
}
