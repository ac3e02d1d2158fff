/**
 * Trades on their way to the leader. Whatever happens to a leader, the trade is sent again with the same key
 * until it has an outcome (R3, R10): the client sees one slower answer and never the failover.
 */

import { type Clock, Deadlines } from "@stock-bazaar/shared/clock";
import type { Outcome, Seen, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import { Batcher } from "./batcher.ts";
import type { ChosenLeader, LeaderChoice } from "./leader-choice.ts";
import type { SeenLedger } from "./seen-ledger.ts";

/**
 * How trades become calls. Two under way at once: while the catalog decides one, the copies of the other are made. More of
 * them only make smaller batches. A batch has a price in every process, whatever is in it: fewer trades than `shareMin`
 * aren't worth a second.
 */
export const tradeCalls = { itemsMax: 1000, callsMax: 2, shareMin: 24 } as const;
/** Trades taken in and not answered yet; past this a client hears 503 at once. */
const tradesMax = 10_000;
/** Between two attempts, unless the leader changes first. */
const retryMs = 25;

export interface Settlement {
  /** Is a change settled as soon as this front-end has taken it in? */
  readonly alone: boolean;
  /** True when every change of this ledger up to its head is settled; false when that can't be told here. */
  settled(ledger: Seen): Promise<boolean>;
}

export interface TradesOptions {
  readonly choice: LeaderChoice;
  /** May this front-end wait for the settlement of what it is answered? Absent: the leader does. */
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

  /** Rejects with UNAVAILABLE when there was no answer in time, and with OVERLOADED at once. */
  async place(trade: Trade): Promise<Outcome> {
    if (this.#taken >= tradesMax) throw new BazaarError("OVERLOADED", `${tradesMax} trades wait already`);
    const { clock, requestTimeoutMs } = this.#options;
    this.#taken += 1;
    try {
      const deadlineMs = clock.nowMs() + requestTimeoutMs;
      return await this.#deadlines.guard(this.#untilAnswered(trade, deadlineMs));
    } finally {
      this.#taken -= 1;
    }
  }

  /** Gives up what still waits for a leader. */
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
        // Whether the leader is gone is for its watch to say; if it is, the wait ends at once.
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

  /** Where the settlement can't be awaited here after all, the leader answers a call without trades once all is settled. */
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
