/**
 * Calls that wait until a change is settled: until every front-end that may serve the older value has acknowledged it
 * (R7).
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { Waiters } from "@stock-bazaar/shared/waiters";
import type { Sessions } from "./sessions.ts";

/** How many calls may wait for settlement. The catalog rejects further calls with OVERLOADED. */
const waitersMax = 100_000;

export interface SettlementOptions {
  readonly clock: Clock;
  readonly sessions: Sessions;
  /** The last order that was sent to every open tail. */
  readonly head: () => number;
}

export class Settlement {
  readonly #options: SettlementOptions;
  readonly #waiters = new Waiters();
  #stopped: BazaarError | undefined;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** Resolves when every change up to this id is settled. */
  until(id: number): Promise<void> {
    if (id <= this.#settledId()) return Promise.resolve();
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#waiters.count >= waitersMax)
      return Promise.reject(new BazaarError("OVERLOADED", `at most ${waitersMax} calls may wait for settlement`));
    const settled = this.#waiters.until(id);
    this.#watchExpiry();
    return settled;
  }

  /** To be called when a session has acknowledged a change, or has ended. */
  check(): void {
    if (this.#waiters.count === 0) return;
    this.#waiters.reached(this.#settledId());
    this.#watchExpiry();
  }

  /** Rejects all waiting calls. */
  reject(error: BazaarError): void {
    this.#waiters.reject(error);
  }

  stop(reason: BazaarError): void {
    this.#stopped = reason;
    this.#cancelExpiry?.();
    this.reject(reason);
  }

  #settledId(): number {
    const { clock, sessions, head } = this.#options;
    return sessions.settled(head(), clock.nowMs());
  }

  /** While a call waits, checks again when the next lease expires: a front-end that died acknowledges nothing. */
  #watchExpiry(): void {
    if (this.#waiters.count === 0 || this.#cancelExpiry) return;
    const { clock, sessions } = this.#options;
    const nowMs = clock.nowMs();
    const expiryMs = sessions.nextExpiryMs(nowMs);
    if (expiryMs === undefined) return;
    this.#cancelExpiry = clock.after(Math.max(1, Math.ceil(expiryMs - nowMs)), () => {
      this.#cancelExpiry = undefined;
      this.check();
    });
  }
}
