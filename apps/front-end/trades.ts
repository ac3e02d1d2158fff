/**
 * Sends trades to the leader. If a leader fails, the trade is sent again with the same key until it has an outcome (R3,
 * R10): the client sees one slower answer and never the failover.
 */

import { emptyCall } from "@stock-bazaar/shared/api";
import { type Clock, Deadlines, type Wait } from "@stock-bazaar/shared/clock";
import type { Outcome, Seen, Trade } from "@stock-bazaar/shared/domain";
import { packTrades, unpackOutcomes } from "@stock-bazaar/shared/batches";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import { Batcher, type Waiting } from "./batcher.ts";
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

/** A trade as one call to the leader contains it. */
export interface SentTrade {
  readonly trade: Trade;
  /** True only in the first send of a trade whose key this front-end made: no ledger can hold that key yet (R3). */
  readonly minted: boolean;
}

export interface TradesOptions {
  readonly choice: LeaderChoice;
  /** Settles changes in this front-end while it is alone. If absent, the leader always waits for settlement. */
  readonly settlement: Settlement | undefined;
  readonly ledger: SeenLedger;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
}

/** A trade without an outcome. The batcher calls `resolve` or `reject` for each send. */
interface Placed extends Waiting<SentTrade, Outcome> {
  item: SentTrade;
  /** The leader of the last send. */
  leader: ChosenLeader | undefined;
  readonly wait: Wait;
}

export class Trades {
  readonly #options: TradesOptions;
  readonly #deadlines: Deadlines;
  #route: { leader: ChosenLeader; batcher: Batcher<SentTrade, Outcome> } | undefined;
  #stopped = false;

  constructor(options: TradesOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, options.requestTimeoutMs, noAnswer);
  }

  /**
   * Rejects with UNAVAILABLE if there is no answer in time, and with OVERLOADED at once. `minted` is true if the key was
   * made for this call, and for no other.
   */
  place(trade: Trade, minted: boolean): Promise<Outcome> {
    if (this.#deadlines.count >= tradesMax) {
      return Promise.reject(new BazaarError("OVERLOADED", `at most ${tradesMax} trades may wait for an answer`));
    }
    return new Promise((resolve, reject) => {
      const placed: Placed = {
        item: { trade, minted },
        leader: undefined,
        wait: this.#deadlines.begin(reject),
        resolve: (outcome) => {
          this.#deadlines.end(placed.wait);
          resolve(outcome);
        },
        reject: (error) => this.#sendFailed(placed, BazaarError.from(error)),
      };
      this.#forward(placed);
    });
  }

  /** Rejects the trades that still wait for a leader. */
  stop(): void {
    this.#stopped = true;
  }

  /** Sends the trade to the leader, at once or as soon as there is one. */
  #forward(placed: Placed): void {
    const { choice, clock } = this.#options;
    const leftMs = placed.wait.deadlineMs - clock.nowMs();
    if (leftMs <= 0 || this.#stopped) return this.#giveUp(placed, noAnswer());
    placed.leader = choice.leader;
    if (placed.leader) this.#batcherFor(placed.leader).add(placed);
    else void choice.changed(leftMs).then(() => this.#forward(placed));
  }

  #sendFailed(placed: Placed, failure: BazaarError): void {
    const { choice } = this.#options;
    const { leader, item } = placed;
    if (!isRetryable(failure.code)) return this.#giveUp(placed, failure);
    // The lost send may have written the key, and it may still arrive.
    placed.item = { trade: item.trade, minted: false };
    if (leader && failure.code === "NOT_LEADER") choice.refused(leader);
    // The leader's watch stream detects whether the leader is gone; if so, this wait ends at once.
    if (choice.leader === leader) void choice.changed(retryMs).then(() => this.#forward(placed));
    else this.#forward(placed);
  }

  #giveUp({ wait }: Placed, error: BazaarError): void {
    this.#deadlines.end(wait);
    wait.reject(error);
  }

  #batcherFor(leader: ChosenLeader): Batcher<SentTrade, Outcome> {
    if (this.#route?.leader === leader) return this.#route.batcher;
    const batcher = new Batcher<SentTrade, Outcome>({
      clock: this.#options.clock,
      ...tradeCalls,
      queueMax: tradesMax,
      send: (items) => this.#send(leader, items),
    });
    this.#route = { leader, batcher };
    return batcher;
  }

  /** If this front-end can't settle after all, an empty call makes the leader wait until everything is settled. */
  async #send(leader: ChosenLeader, items: readonly SentTrade[]): Promise<readonly Outcome[]> {
    const { settlement, ledger } = this.#options;
    const callerSettles = settlement?.alone ?? false;
    const { length: count } = items;
    const trades = packTrades(items.map(({ trade }) => trade));
    const minted = items.every((item) => item.minted);
    const call = { trades, count, minted, callerSettles };
    const traded = await leader.api.trade(call, leader.gone);
    ledger.ends(traded);
    if (callerSettles && !(await settlement?.settled(traded))) {
      await leader.api.trade({ ...emptyCall, callerSettles: false }, leader.gone);
    }
    const outcomes = unpackOutcomes(traded.outcomes);
    if (outcomes.length !== count) {
      throw new BazaarError("INTERNAL_ERROR", `${count} trades must have an outcome each (got ${outcomes.length})`);
    }
    return outcomes;
  }
}

function noAnswer(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no answer in time");
}
