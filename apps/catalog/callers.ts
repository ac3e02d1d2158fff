/**
 * Notices that no caller reaches the active one of several catalogs (R11). Then it gives the ledger up, because the callers may
 * reach another one. That is always safe, and costs nothing while there are no calls.
 *
 * A bazaar that works calls at least once a second: an idle leader applies an empty batch, and front-ends renew their leases.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";

const checkMs = 1000;
/** Intervals without a call, one after the other, until the ledger is given up. */
const quietChecks = 3;
/** The same if no catalog is called at all: each time, the next wait is twice as long, up to this. */
const quietChecksMax = 60;

export class Callers {
  #underWay = 0;
  #wasCalled = false;
  #quietChecks = quietChecks;

  /** To be called when a message has arrived. */
  arrived(): void {
    this.#wasCalled = true;
  }

  /** Counts a call until it is answered. Settles like it. */
  async called<Result>(call: Promise<Result>): Promise<Result> {
    this.arrived();
    this.#underWay += 1;
    try {
      return await call;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Calls `gone` once when no caller has reached this catalog for long. Returns a function that ends the watch. */
  watch(clock: Clock, gone: () => void): () => void {
    let quiet = 0;
    this.#wasCalled = false;
    const stop = every(clock, checkMs, () => {
      if (this.#wasCalled || this.#underWay > 0) {
        this.#wasCalled = false;
        this.#quietChecks = quietChecks;
        quiet = 0;
        return;
      }
      quiet += 1;
      if (quiet < this.#quietChecks) return;
      this.#quietChecks = Math.min(2 * this.#quietChecks, quietChecksMax);
      stop();
      gone();
    });
    return stop;
  }
}
