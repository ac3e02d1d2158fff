/**
 * The longest lease that front-ends may hold, as the ledger's register names it: the next start settles nothing for so long
 * (R9). The register may name a longer one at any time, a shorter one only when no front-end can hold the longer any more.
 */

import type { Leases } from "@stock-bazaar/ledger/ledger";
import { cacheLeaseMaxMs } from "@stock-bazaar/process/config";
import type { Logger } from "@stock-bazaar/process/log";
import type { TailRequest } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Sessions } from "./sessions.ts";

export interface RegisteredLeaseOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sessions: Sessions;
  /** What this catalog gives. */
  readonly leaseMs: number;
  /** What the register names now. */
  readonly registeredMs: number;
  readonly write: (leases: Leases) => Promise<void>;
}

export class RegisteredLease {
  readonly #options: RegisteredLeaseOptions;
  #registeredMs: number;
  #stopped = false;
  #cancelShortening: (() => void) | undefined;

  constructor(options: RegisteredLeaseOptions) {
    this.#options = options;
    this.#registeredMs = options.registeredMs;
    this.#shorten();
  }

  /** A rebuilt catalog's register may name no lease: front-ends know what the catalog of another life gave them. */
  found({ leaseMs: reportedMs, leaseLife }: TailRequest, life: string): void {
    if (leaseLife === life) return;
    const { clock, sessions } = this.#options;
    const leaseMs = Math.min(reportedMs, cacheLeaseMaxMs);
    sessions.foundLease(leaseMs);
    const runs = clock.nowMs() < sessions.quietUntilMs;
    if (!runs || leaseMs <= this.#registeredMs) return;
    void this.#set(leaseMs).then(() => this.#shorten());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelShortening?.();
  }

  /** The catalog ends. If no front-end holds a lease, the next one may settle at once. */
  async end(): Promise<void> {
    const { clock, sessions } = this.#options;
    if (sessions.noneRuns(clock.nowMs())) await this.#set(this.#registeredMs, true);
  }

  #shorten(): void {
    this.#cancelShortening?.();
    this.#cancelShortening = undefined;
    const { clock, sessions, leaseMs } = this.#options;
    if (this.#stopped || this.#registeredMs <= leaseMs) return;
    const waitMs = sessions.quietUntilMs - clock.nowMs();
    if (waitMs <= 0) return void this.#set(leaseMs);
    this.#cancelShortening = clock.after(Math.ceil(waitMs), () => this.#shorten());
  }

  /**
   * Where it fails, the register still names another lease. A longer one makes the next start wait longer; a shorter one is
   * all that a catalog which was rebuilt without knowing better could name, and the next hello names the longer one again.
   */
  async #set(leaseMs: number, endedCleanly = false): Promise<void> {
    try {
      await this.#options.write({ leaseMs, endedCleanly });
      this.#registeredMs = leaseMs;
    } catch (error) {
      const { message } = BazaarError.from(error);
      this.#options.logger.warn({ leaseMs }, `the register still names another lease: ${message}`);
    }
  }
}
