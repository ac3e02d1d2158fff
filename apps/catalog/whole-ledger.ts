/**
 * Refuses everything once there is evidence that the ledger was longer before, until a person has decided (R2). An
 * answer would reuse the numbers of acknowledged orders and return old quantities.
 */

import type { Ledger, LedgerRegister } from "@stock-bazaar/ledger/ledger";
import { advice } from "@stock-bazaar/process/advice";
import type { Logger } from "@stock-bazaar/process/log";
import type { Order, Register, Seen } from "@stock-bazaar/shared/domain";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import { endsBefore, isShorterThanSeen } from "./lost-end.ts";

/** The ledger's errors for a replica with other orders, or another term. An old copy is behind in both. */
const otherHistory: ReadonlySet<ErrorCode> = new Set(["DIVERGED", "FENCED", "STALE_TERM"]);

export interface WholeLedgerOptions {
  readonly ledger: Pick<Ledger, "register">;
  readonly logger: Logger;
  /** The catalog's copy of the register. The ledger may be ahead by a write in flight. */
  readonly known: () => Register;
  /** Called once, when the refusal begins. */
  readonly lost: (refusal: BazaarError) => void;
}

export class WholeLedger {
  readonly #options: WholeLedgerOptions;
  #refusal: BazaarError | undefined;

  constructor(options: WholeLedgerOptions) {
    this.#options = options;
  }

  /** The error with which everything is refused; `undefined` without such evidence. */
  get refusal(): BazaarError | undefined {
    return this.#refusal;
  }

  /** True if the catalog's copy of the register is shorter than `seen`. Then `require` reads the ledger itself. */
  isDoubtful(seen: Seen): boolean {
    return isShorterThanSeen(this.#options.known(), seen);
  }

  /** Rejects with DIVERGED if the ledger is shorter than `seen`, or was found too short before. */
  async require(seen?: Seen): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    if (seen === undefined || !this.isDoubtful(seen)) return;
    // A replica may read an order from the ledger a moment before the catalog has updated its copy of the register.
    const register = await this.#options.ledger.register();
    if (isShorterThanSeen(register, seen)) throw this.#refuse(register, `had order ${seen.head} once`);
  }

  /** Throws DIVERGED if the ledger is shorter than the replica whose last order is `last`. */
  requireOrder(register: LedgerRegister, last: Order | undefined): void {
    if (last === undefined || !endsBefore(register, last)) return;
    throw this.#refuse(register, `a replica has order ${last.id} of term ${last.term}`);
  }

  /**
   * Runs a replica's request. If the ledger refuses it, checks whether the ledger has lost the replica's last order.
   */
  async refusingIfLost<Result>(last: Order | undefined, ask: () => Promise<Result>): Promise<Result> {
    await this.require();
    try {
      return await ask();
    } catch (error) {
      if (otherHistory.has(BazaarError.from(error).code)) {
        this.requireOrder(await this.#options.ledger.register(), last);
      }
      throw error;
    }
  }

  #refuse({ head, term }: Register, evidence: string): BazaarError {
    if (this.#refusal) return this.#refusal;
    const refusal = new BazaarError(
      "DIVERGED",
      `the ledger ends at order ${head} in term ${term}, but ${evidence}: is the ledger an old copy? ${advice.putBackCatalog}`,
    );
    this.#refusal = refusal;
    this.#options.logger.error({ head, term }, refusal.message);
    this.#options.lost(refusal);
    return refusal;
  }
}
