/**
 * The last order that each replica holds, as acknowledged to the leader (R5). Pure bookkeeping on ids.
 *
 * An order is confirmed when it is on the leader's own disk, on the disk of every live follower, and on at least
 * `minCopies` disks in all. A follower is live when it has caught up and answers in time. A slow follower is dropped,
 * so that it can't delay the trades, and becomes live again once it has caught up.
 */

import { invariant } from "@stock-bazaar/shared/invariant";

interface Follower {
  /** acked ≤ the leader's tail */
  ackedId: number;
  live: boolean;
}

export class Copies {
  readonly #minCopies: number;
  readonly #followers = new Map<number, Follower>();
  #ownId: number;

  constructor(options: { minCopies: number; ownId: number }) {
    this.#minCopies = options.minCopies;
    this.#ownId = options.ownId;
  }

  /** Every order up to this id is confirmed. It may fall when a follower leaves or becomes live. */
  get confirmedId(): number {
    const held = [this.#ownId];
    let confirmedId = this.#ownId;
    for (const { ackedId, live } of this.#followers.values()) {
      held.push(ackedId);
      if (live) confirmedId = Math.min(confirmedId, ackedId);
    }
    const heldOften = held.sort((a, b) => b - a)[this.#minCopies - 1] ?? 0;
    return Math.min(confirmedId, heldOften);
  }

  /** True if enough replicas are live to confirm a new order. */
  get enough(): boolean {
    return 1 + this.live.length >= this.#minCopies;
  }

  get live(): number[] {
    return [...this.#followers].flatMap(([replica, { live }]) => (live ? [replica] : [])).sort((a, b) => a - b);
  }

  stored(ownId: number): void {
    this.#ownId = Math.max(this.#ownId, ownId);
  }

  joined(replica: number, ackedId: number): void {
    this.#followers.set(replica, { ackedId, live: false });
  }

  left(replica: number): void {
    this.#followers.delete(replica);
  }

  /**
   * Records that the follower holds every order up to `ackedId`. Returns true if this makes it live: it has reached
   * `tailId`, the newest order that the leader has sent.
   */
  acknowledged(replica: number, ackedId: number, tailId: number): boolean {
    const follower = this.#followers.get(replica);
    if (!follower) return false;
    invariant(ackedId <= tailId, "acked ≤ tail", ackedId, tailId);
    follower.ackedId = Math.max(follower.ackedId, ackedId);
    if (follower.live || follower.ackedId < tailId) return false;
    follower.live = true;
    return true;
  }

  /** Drops the live followers that don't hold order `id` yet, and returns their ids. */
  dropSlower(id: number): number[] {
    const dropped: number[] = [];
    for (const [replica, follower] of this.#followers) {
      if (!follower.live || follower.ackedId >= id) continue;
      follower.live = false;
      dropped.push(replica);
    }
    return dropped;
  }
}
