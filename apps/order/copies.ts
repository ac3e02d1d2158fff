/**
 * The last order that each replica has committed, as acknowledged to the leader (R5). Pure bookkeeping on ids.
 *
 * An order is confirmed when `minCopies` replicas have committed it, the leader always among them. Only as many followers
 * as are demanded are waited for, and always the fastest ones, so a slow or frozen follower delays nothing.
 */

import { invariant } from "@stock-bazaar/shared/invariant";

export class Copies {
  /** How many followers must hold an order. */
  readonly #followersMin: number;
  /** acked ≤ the leader's tail */
  readonly #ackedIds = new Map<number, number>();
  #ownId: number;

  constructor(options: { minCopies: number; ownId: number }) {
    this.#followersMin = options.minCopies - 1;
    this.#ownId = options.ownId;
  }

  /** Every order up to this id is confirmed. It may fall when a follower leaves. */
  get confirmedId(): number {
    if (this.#followersMin === 0) return this.#ownId;
    const ackedIds = [...this.#ackedIds.values()].sort((a, b) => b - a);
    return Math.min(this.#ownId, ackedIds[this.#followersMin - 1] ?? 0);
  }

  /** The last order that the follower has acknowledged; 0 if it isn't there. */
  ackedId(replica: number): number {
    return this.#ackedIds.get(replica) ?? 0;
  }

  /** Records that the leader itself has committed every order up to this id. */
  stored(ownId: number): void {
    this.#ownId = Math.max(this.#ownId, ownId);
  }

  joined(replica: number, ackedId: number): void {
    this.#ackedIds.set(replica, ackedId);
  }

  left(replica: number): void {
    this.#ackedIds.delete(replica);
  }

  /** Records that the follower has committed every order up to `ackedId`; `tailId` is the newest that the leader has sent. */
  acknowledged(replica: number, ackedId: number, tailId: number): void {
    const before = this.#ackedIds.get(replica);
    if (before === undefined) return;
    invariant(ackedId <= tailId, "acked ≤ tail", ackedId, tailId);
    this.#ackedIds.set(replica, Math.max(before, ackedId));
  }
}
