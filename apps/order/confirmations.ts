/**
 * Promises that resolve when an order has its copies (R5). A live follower that delays the oldest of them for too long
 * is dropped. A promise that can't resolve in time is rejected: the outcome is unknown.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Copies } from "./copies.ts";

/** Time for a live follower to acknowledge. A frozen one delays trades by this much, once. */
const followerWaitMs = 250;
/** If a timer is this late, this process slept, and acknowledgements may still be unread. */
const sleptMs = 100;

interface Waiter {
  readonly id: number;
  readonly sinceMs: number;
  readonly resolve: () => void;
  readonly reject: (error: BazaarError) => void;
}

export class Confirmations {
  readonly #copies: Copies;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #dropped: (replica: number) => void;
  /** Oldest first. */
  #waiters: Waiter[] = [];
  #cancelTimer: (() => void) | undefined;
  /** True if the last timer was late, so that no follower was dropped. */
  #spared = false;
  #stopped: BazaarError | undefined;

  constructor(options: { copies: Copies; clock: Clock; timeoutMs: number; dropped: (replica: number) => void }) {
    this.#copies = options.copies;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#dropped = options.dropped;
  }

  /** Resolves when the orders up to `id` have their copies. Rejects with DEPENDENCY_UNAVAILABLE after the timeout. */
  confirmed(id: number): Promise<void> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (id <= this.#copies.confirmedId) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ id, sinceMs: this.#clock.nowMs(), resolve, reject });
      this.#watch();
    });
  }

  /** To be called whenever the copies have changed. */
  check(): void {
    if (this.#waiters.length === 0) return;
    const { confirmedId } = this.#copies;
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.id > confirmedId) return true;
      waiter.resolve();
      return false;
    });
    if (this.#waiters.length === 0) this.#cancel();
  }

  stop(reason: BazaarError): void {
    this.#stopped = reason;
    this.#cancel();
    for (const waiter of this.#waiters) waiter.reject(reason);
    this.#waiters = [];
  }

  #watch(): void {
    this.#cancelTimer ??= every(
      this.#clock,
      () => this.#untilLateMs(),
      (lateMs) => {
        // Never twice in a row: a process that is always late must still drop a frozen follower.
        this.#spared = !this.#spared && lateMs >= sleptMs;
        if (!this.#spared) this.#expire();
        if (this.#waiters.length === 0) this.#cancel();
      },
    );
  }

  /** Time until the oldest waiter has waited too long. */
  #untilLateMs(): number {
    const nowMs = this.#clock.nowMs();
    const waitedMs = nowMs - (this.#waiters[0]?.sinceMs ?? nowMs);
    // After the first deadline it checks at the same interval: another follower may have frozen meanwhile.
    const deadlineMs = Math.min(
      this.#timeoutMs,
      waitedMs < followerWaitMs ? followerWaitMs : waitedMs + followerWaitMs,
    );
    return Math.max(1, Math.ceil(deadlineMs - waitedMs));
  }

  #expire(): void {
    const nowMs = this.#clock.nowMs();
    const slow = this.#waiters.filter(({ sinceMs }) => nowMs - sinceMs >= followerWaitMs);
    const slowestId = slow.reduce((id, waiter) => Math.max(id, waiter.id), 0);
    for (const replica of this.#copies.dropSlower(slowestId)) this.#dropped(replica);
    this.check();
    const late = (waiter: Waiter) => nowMs - waiter.sinceMs >= this.#timeoutMs;
    for (const waiter of this.#waiters) {
      if (late(waiter))
        waiter.reject(
          new BazaarError("DEPENDENCY_UNAVAILABLE", `order ${waiter.id} has too few copies: its outcome is unknown`),
        );
    }
    this.#waiters = this.#waiters.filter((waiter) => !late(waiter));
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
