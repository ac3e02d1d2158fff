/**
 * Detects whether this leader reaches the catalog (R1). A leader that is cut off from the catalog is replaced. A leader
 * whose writes wait for a slow disk is not: the writes of another leader would wait as long. So after an unanswered
 * write this class probes the catalog with reads.
 */

import type { CatalogApi } from "@stock-bazaar/shared/api";
import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** Delay between two probes while the catalog can't be reached. */
const reachMs = 200;

export interface CatalogReachOptions {
  readonly catalog: Pick<CatalogApi, "register">;
  readonly clock: Clock;
  /** The last order that the leader has accepted from the ledger. */
  readonly last: () => Order | undefined;
  /** Called when another replica has acquired the lead, or the ledger holds another history. */
  readonly deposed: (why: string) => void;
}

export class CatalogReach {
  readonly #options: CatalogReachOptions;
  #reaches = true;
  #seeking = false;
  #stopped = false;

  constructor(options: CatalogReachOptions) {
    this.#options = options;
  }

  /** True if the catalog answers this leader. */
  get reaches(): boolean {
    return this.#reaches;
  }

  /** To be called when the catalog has answered a write. */
  answered(): void {
    this.#reaches = true;
  }

  /** Converts the error of a call to the catalog to what the leader's caller gets. */
  failed(error: unknown): BazaarError {
    const failure = BazaarError.from(error);
    if (failure.code === "UNAVAILABLE") void this.#seek();
    switch (failure.code) {
      case "FENCED":
        // After this leader has stopped, the answer doesn't concern the replica's later terms.
        if (!this.#stopped) this.#options.deposed("the term has passed");
        return new BazaarError("NOT_LEADER", failure.message, { cause: error });
      case "DIVERGED":
        // The leader and the ledger hold different histories, so this leader must not write any more.
        if (!this.#stopped) this.#options.deposed(failure.message);
        return failure;
      case "UNAVAILABLE":
      case "OVERLOADED":
      case "STORAGE_UNAVAILABLE":
        return new BazaarError("DEPENDENCY_UNAVAILABLE", `the catalog doesn't answer: ${failure.message}`, {
          cause: error,
        });
      default:
        return failure;
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Reads the register until a read is answered. */
  async #seek(): Promise<void> {
    if (this.#seeking) return;
    this.#seeking = true;
    const { catalog, clock, last } = this.#options;
    do {
      try {
        await catalog.register(undefined, last());
        this.#reaches = true;
      } catch (error) {
        this.#reaches = BazaarError.from(error).code !== "UNAVAILABLE";
      }
      if (!this.#reaches) await pause(clock, reachMs);
    } while (!this.#reaches && !this.#stopped);
    this.#seeking = false;
  }
}
