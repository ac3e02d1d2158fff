/**
 * The sessions of the front-ends: which of them may serve from their caches, and the last change that each has
 * acknowledged (R7, R9). Pure bookkeeping on ids and monotonic milliseconds: it reads no clock and sends nothing.
 *
 * A change is settled when every session that may still serve has acknowledged it. A silent session may serve until its
 * lease has expired, so the catalog waits exactly that long, plus a margin for clocks that run at different speeds.
 * Without this rule, one front-end could return an old quantity after another one has returned the new quantity.
 */

import { invariant } from "@stock-bazaar/shared/invariant";

/** Sessions are kept this much longer than a lease: two clocks that are each 5% off differ by less. */
const leaseMargin = 0.15;

/** How long the catalog's clock must run until a lease of this length has expired on any other clock. */
function keptMs(leaseMs: number): number {
  return leaseMs * (1 + leaseMargin);
}

interface Session {
  /** acked ≤ head */
  acked: number;
  expiresMs: number;
}

export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #keepMs: number;
  readonly #startedMs: number;
  #quietUntilMs: number;
  /** settled ≤ head */
  #settled = 0;

  /**
   * `foundLeaseMs` is the longest lease that an earlier catalog may have granted, or 0 if none runs. Front-ends may
   * serve on it for that long after `startedMs`, so nothing is settled before.
   */
  constructor(options: { leaseMs: number; foundLeaseMs: number; startedMs: number }) {
    this.#keepMs = keptMs(options.leaseMs);
    this.#startedMs = options.startedMs;
    this.#quietUntilMs = options.startedMs + keptMs(options.foundLeaseMs);
  }

  /** The end of the time in which front-ends may serve on leases of an earlier catalog. */
  get quietUntilMs(): number {
    return this.#quietUntilMs;
  }

  /** Extends the quiet time: a front-end reports that an earlier catalog granted it a lease of this length. */
  foundLease(leaseMs: number): void {
    this.#quietUntilMs = Math.max(this.#quietUntilMs, this.#startedMs + keptMs(leaseMs));
  }

  /** True if no lease runs, of this catalog or an earlier one. */
  noneRuns(nowMs: number): boolean {
    this.expire(nowMs);
    return nowMs >= this.#quietUntilMs && this.#sessions.size === 0;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** True if the session's lease still runs. */
  runs(id: string, nowMs: number): boolean {
    return (this.#sessions.get(id)?.expiresMs ?? 0) > nowMs;
  }

  /**
   * Begins the session of a front-end. Its cache is empty, so it counts as having acknowledged everything up to `head`.
   * A delayed duplicate must not raise what the session has acknowledged. `replaces` is the session that this front-end
   * has left.
   */
  hello(id: string, head: number, nowMs: number, replaces: string): void {
    this.#sessions.delete(replaces);
    const session = this.#sessions.get(id);
    if (session) session.expiresMs = nowMs + this.#keepMs;
    else this.#sessions.set(id, { acked: head, expiresMs: nowMs + this.#keepMs });
  }

  /** Renews the lease, from receipt. Returns false if the session is over: its front-end must begin a new one. */
  renew(id: string, acked: number, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (!session || session.expiresMs <= nowMs) return false;
    session.acked = Math.max(session.acked, acked);
    session.expiresMs = nowMs + this.#keepMs;
    return true;
  }

  /** The front-end has stopped serving from this session. */
  goodbye(id: string): void {
    this.#sessions.delete(id);
  }

  /** Removes the sessions whose lease has expired: they have missed what was settled without them. */
  expire(nowMs: number): void {
    for (const [id, { expiresMs }] of this.#sessions) {
      if (expiresMs <= nowMs) this.#sessions.delete(id);
    }
  }

  /** Every change up to this id is settled. Never falls. */
  settled(head: number, nowMs: number): number {
    if (nowMs < this.#quietUntilMs) return this.#settled;
    this.expire(nowMs);
    let settled = head;
    for (const { acked } of this.#sessions.values()) settled = Math.min(settled, acked);
    this.#settled = Math.max(this.#settled, settled);
    invariant(this.#settled <= head, "settled ≤ head", this.#settled, head);
    return this.#settled;
  }

  /** True if no other session may serve. Then a change is settled as soon as this session has processed it. */
  alone(id: string, nowMs: number): boolean {
    if (nowMs < this.#quietUntilMs) return false;
    for (const [other, { expiresMs }] of this.#sessions) {
      if (other !== id && expiresMs > nowMs) return false;
    }
    return true;
  }

  /** The next time at which `settled` may rise without an acknowledgement; `undefined` if there is none. */
  nextExpiryMs(nowMs: number): number | undefined {
    if (nowMs < this.#quietUntilMs) return this.#quietUntilMs;
    let nextMs: number | undefined;
    for (const { expiresMs } of this.#sessions.values()) nextMs = Math.min(nextMs ?? expiresMs, expiresMs);
    return nextMs;
  }
}
