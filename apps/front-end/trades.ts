/**
 * Sends trades to the leader. If a leader fails, the trade is sent again with the same key until it has an outcome (R3,
 * R10): the client sees one slower answer and never the failover.
 */

import { type Clock, Deadlines } from "@stock-bazaar/shared/clock";
import type { Outcome, Seen, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import { Batcher } from "./batcher.ts";
import type { ChosenLeader, LeaderChoice } from "./leader-choice.ts";
import type { SeenLedger } from "./seen-ledger.ts";

/**
 * How trades are batched into calls. Two calls are in flight at once: while the catalog decides one, the copies of the
 * other are made. More calls would only make the batches smaller. Each batch has a fixed cost in every process, so a
 * second call is not worth it for fewer trades than `shareMin`.
 */
export const tradeCalls = { itemsMax: 1000, callsMax: 2, shareMin: 24 } as const;
/** How many trades may wait for an answer. Further trades are rejected with OVERLOADED, which becomes a 503. */
const tradesMax = 10_000;
/** Delay between two attempts, unless the leader changes first. */
const retryMs = 25;

export interface Settlement {
  /** True if a change is settled as soon as this front-end has processed it. */
  readonly alone: boolean;
  /** Resolves with true when every change up to this head is settled; with false if this front-end can't find out. */
  settled(ledger: Seen): Promise<boolean>;
}

export interface TradesOptions {
  readonly choice: LeaderChoice;
  /** Settles changes in this front-end while it is alone. If absent, the leader always waits for settlement. */
  readonly settlement: Settlement | undefined;
  readonly ledger: SeenLedger;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
}

export class Trades {
  readonly #options: TradesOptions;
  readonly #deadlines: Deadlines;
  #route: { leader: ChosenLeader; batcher: Batcher<Trade, Outcome> } | undefined;
  #taken = 0;
  #stopped = false;

  constructor(options: TradesOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, options.requestTimeoutMs, noAnswer);
  }

  /** Rejects with UNAVAILABLE if there is no answer in time, and with OVERLOADED at once. */
  async place(trade: Trade): Promise<Outcome> {
    if (this.#taken >= tradesMax)
      throw new BazaarError("OVERLOADED", `at most ${tradesMax} trades may wait for an answer`);
    const { clock, requestTimeoutMs } = this.#options;
    this.#taken += 1;
    try {
      const deadlineMs = clock.nowMs() + requestTimeoutMs;
      return await this.#deadlines.guard(this.#untilAnswered(trade, deadlineMs));
    } finally {
      this.#taken -= 1;
    }
  }

  /** Rejects the trades that still wait for a leader. */
  stop(): void {
    this.#stopped = true;
  }

  async #untilAnswered(trade: Trade, deadlineMs: number): Promise<Outcome> {
    const { choice, clock } = this.#options;
    while (clock.nowMs() < deadlineMs && !this.#stopped) {
      const { leader } = choice;
      if (!leader) {
        await choice.changed(deadlineMs - clock.nowMs());
        continue;
      }
      try {
        return await this.#batcherFor(leader).push(trade);
      } catch (error) {
        const failure = BazaarError.from(error);
        if (!isRetryable(failure.code)) throw failure;
        if (failure.code === "NOT_LEADER") choice.refused(leader);
        // The leader's watch stream detects whether the leader is gone; if so, this wait ends at once.
        if (choice.leader === leader) await choice.changed(retryMs);
      }
    }
    throw noAnswer();
  }

  #batcherFor(leader: ChosenLeader): Batcher<Trade, Outcome> {
    if (this.#route?.leader === leader) return this.#route.batcher;
    const batcher = new Batcher<Trade, Outcome>({
      clock: this.#options.clock,
      ...tradeCalls,
      queueMax: tradesMax,
      send: (trades) => this.#send(leader, trades),
    });
    this.#route = { leader, batcher };
    return batcher;
  }

  /** If this front-end can't settle after all, an empty call makes the leader wait until everything is settled. */
  async #send(leader: ChosenLeader, trades: readonly Trade[]): Promise<readonly Outcome[]> {
    const { settlement, ledger } = this.#options;
    const callerSettles = settlement?.alone ?? false;
    const traded = await leader.api.trade({ trades, callerSettles }, leader.gone);
    ledger.ends(traded);
    if (callerSettles && !(await settlement?.settled(traded))) {
      await leader.api.trade({ trades: [], callerSettles: false }, leader.gone);
    }
    return traded.outcomes;
  }
}

function noAnswer(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no answer in time");
}
