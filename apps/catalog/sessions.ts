/**
 * Who may be serving from a cache, and up to which change they know (R7, R9). Pure bookkeeping on ids and
 * monotonic milliseconds: it reads no clock and sends nothing.
 *
 * A change is settled when every session that may still serve has acknowledged it. A session that falls
 * silent may serve until its lease has run out, so it is waited for just that long, plus a margin for
 * clocks that run at different speeds. Without this, a reader of one front-end would see an old quantity
 * after somebody was told of the new one.
 */

import { invariant } from "@stock-bazaar/shared/invariant";

/** Sessions are kept this much longer than a lease: two clocks that are each 5% off differ by less. */
const leaseMargin = 0.15;

/** How long the catalog's clock must run until a lease of this length has run out on any other clock. */
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
   * `foundLeaseMs`: the longest lease that an earlier catalog may have given. Front-ends may serve on it for that long after
   * `startedMs`, so nothing is settled before. 0: none runs.
   */
  constructor(options: { leaseMs: number; foundLeaseMs: number; startedMs: number }) {
    this.#keepMs = keptMs(options.leaseMs);
    this.#startedMs = options.startedMs;
    this.#quietUntilMs = options.startedMs + keptMs(options.foundLeaseMs);
  }

  /** Until then front-ends may serve on leases of an earlier catalog. */
  get quietUntilMs(): number {
    return this.#quietUntilMs;
  }

  /** An earlier catalog has given a lease of this length, as one of its front-ends reports. */
  foundLease(leaseMs: number): void {
    this.#quietUntilMs = Math.max(this.#quietUntilMs, this.#startedMs + keptMs(leaseMs));
  }

  /** May no front-end serve from a cache, on whatever lease? */
  noneRuns(nowMs: number): boolean {
    this.expire(nowMs);
    return nowMs >= this.#quietUntilMs && this.#sessions.size === 0;
  }

  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** May it serve yet? */
  runs(id: string, nowMs: number): boolean {
    return (this.#sessions.get(id)?.expiresMs ?? 0) > nowMs;
  }

  /**
   * A front-end begins, with an empty cache: it knows everything up to `head`. Heard again (a delayed
   * duplicate), it must not raise what the session has acknowledged. `replaces` is a session which that
   * front-end no longer serves from.
   */
  hello(id: string, head: number, nowMs: number, replaces: string): void {
    this.#sessions.delete(replaces);
    const session = this.#sessions.get(id);
    if (session) session.expiresMs = nowMs + this.#keepMs;
    else this.#sessions.set(id, { acked: head, expiresMs: nowMs + this.#keepMs });
  }

  /** Renews the lease, from receipt. False: the session is over, and its front-end must begin a new one. */
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

  /** Forgets whose lease has run out: whatever they say later, they have missed what was settled without them. */
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

  /** May no other session serve? Then a change is settled as soon as this one has taken it in. */
  alone(id: string, nowMs: number): boolean {
    if (nowMs < this.#quietUntilMs) return false;
    for (const [other, { expiresMs }] of this.#sessions) {
      if (other !== id && expiresMs > nowMs) return false;
    }
    return true;
  }

  /** When `settled` may rise by the passing of time alone; `undefined` if only an acknowledgement can raise it. */
  nextExpiryMs(nowMs: number): number | undefined {
    if (nowMs < this.#quietUntilMs) return this.#quietUntilMs;
    let nextMs: number | undefined;
    for (const { expiresMs } of this.#sessions.values()) nextMs = Math.min(nextMs ?? expiresMs, expiresMs);
    return nextMs;
  }
}
