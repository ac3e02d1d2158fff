/**
 * The longest lease that front-ends may hold, as stored in the ledger's register: after the next start the catalog
 * settles nothing for that long (R9). The register may get a longer lease at any time, a shorter one only when no
 * front-end can hold the longer one any more.
 */

import type { Leases } from "@stock-bazaar/ledger/ledger";
import { cacheLeaseMaxMs } from "@stock-bazaar/process/config";
import type { Logger } from "@stock-bazaar/process/log";
import type { TailRequest } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Sessions } from "./sessions.ts";

export interface RegisteredLeaseOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sessions: Sessions;
  /** The lease that this catalog grants. */
  readonly leaseMs: number;
  /** The lease in the register now. */
  readonly registeredMs: number;
  readonly write: (leases: Leases) => Promise<void>;
}

export class RegisteredLease {
  readonly #options: RegisteredLeaseOptions;
  /** registered ≥ leaseMs of this catalog */
  #registeredMs: number;
  #stopped = false;
  #cancelShortening: (() => void) | undefined;

  constructor(options: RegisteredLeaseOptions) {
    this.#options = options;
    this.#registeredMs = options.registeredMs;
    this.#shorten();
  }

  /** Registers a lease that a catalog of another life granted: the register of a rebuilt catalog may not name it. */
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

  /** To be called at the end. Marks the end as clean if no lease runs, so that the next catalog may settle at once. */
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
   * If the write fails, the register keeps another lease. A longer one makes the next start wait longer. A shorter one
   * is possible only after a rebuild without that knowledge, and the next hello reports the longer one again.
   */
  async #set(leaseMs: number, endedCleanly = false): Promise<void> {
    const { leaseMs: ownMs } = this.#options;
    invariant(leaseMs >= ownMs, "registered lease ≥ own lease", leaseMs, ownMs);
    try {
      await this.#options.write({ leaseMs, endedCleanly });
      this.#registeredMs = leaseMs;
    } catch (error) {
      const { message } = BazaarError.from(error);
      this.#options.logger.warn({ leaseMs }, `the register still names another lease: ${message}`);
    }
  }
}
