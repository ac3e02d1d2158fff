/**
 * The leader's writes to the catalog, one call at a time (R2): trades in batches, restocks page by page. Waiting trades
 * get their turn between two pages.
 */

import {
  type Applied,
  type CatalogApi,
  emptyCall,
  type Extended,
  restockPageMax,
  type Traded,
  type TradesRequest,
} from "@stock-bazaar/shared/api";
import { unpackOutcomes, unpackTrades } from "@stock-bazaar/shared/batches";
import { BatchQueue } from "@stock-bazaar/shared/batch-queue";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import type { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { CatalogReach } from "./catalog-reach.ts";

/** Maximum number of trades in one `Apply`. */
const batchTradesMax = 2000;

/** The trades of one caller, which waits for their outcomes. */
export interface Call extends TradesRequest {
  readonly resolve: (traded: Traded) => void;
  readonly reject: (error: unknown) => void;
}

/** One page of a restock: the stocks at zero with a name after `after`. */
interface RestockPage {
  readonly after: string;
}

/** An empty batch: it only asks the ledger. */
const question: Call = { ...emptyCall, callerSettles: true, resolve() {}, reject() {} };

export interface ApplyQueueOptions {
  readonly term: number;
  readonly catalog: Pick<CatalogApi, "apply" | "restock">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly restockQuantity: number;
  readonly reach: CatalogReach;
  /** The last order that the leader has accepted from the ledger. */
  readonly last: () => Order | undefined;
  /** Processes the decided orders. The next write waits for it. */
  readonly accept: (extended: Extended) => Promise<void>;
  /** Called when these calls are decided and accepted. */
  readonly decided: (calls: readonly Call[], applied: Applied) => void;
  readonly fatal: (error: unknown) => void;
}

export class ApplyQueue {
  readonly #options: ApplyQueueOptions;
  readonly #queue: BatchQueue<Call | RestockPage>;
  #restockWaits = false;

  constructor(options: ApplyQueueOptions) {
    this.#options = options;
    this.#queue = new BatchQueue({
      clock: options.clock,
      nextLength: nextWriteLength,
      work: (writes) => this.#write(writes),
      failed: options.fatal,
    });
  }

  push(call: Call): void {
    this.#queue.push([call]);
  }

  /** Sends an empty batch if the queue is idle: it reveals a missed hint, or an `Apply` whose answer was lost. */
  ask(): void {
    if (this.#queue.isIdle) this.push(question);
  }

  /** Queues a restock of the stocks at zero. */
  restock(): void {
    if (!this.#restockWaits) this.#restockAfter("");
  }

  /** Rejects the waiting calls and drops the waiting restock. */
  reject(reason: BazaarError): void {
    for (const write of this.#queue.clear()) if (isCall(write)) write.reject(reason);
  }

  #restockAfter(after: string): void {
    this.#restockWaits = true;
    this.#queue.push([{ after }]);
  }

  async #write(writes: readonly (Call | RestockPage)[]): Promise<void> {
    for (const write of writes) if (!isCall(write)) return this.#restockPage(write);
    await this.#decide(writes.filter(isCall));
  }

  async #decide(calls: readonly Call[]): Promise<void> {
    const { term, catalog, last, reach, accept, decided, logger } = this.#options;
    try {
      const applied = await catalog.apply({
        term,
        last: last(),
        calls: calls.map(({ trades, count, minted }) => ({ trades, count, minted })),
      });
      reach.answered();
      await accept(applied);
      if (logger.isLevelEnabled("debug")) logOutcomes(logger, calls, applied);
      decided(calls, applied);
    } catch (error) {
      const failure = reach.failed(error);
      for (const call of calls) call.reject(failure);
    }
  }

  async #restockPage({ after }: RestockPage): Promise<void> {
    const { term, catalog, last, restockQuantity: quantity, accept, reach, logger } = this.#options;
    this.#restockWaits = false;
    try {
      const restocked = await catalog.restock({ term, last: last(), quantity, after });
      await accept(restocked);
      const { rows } = restocked.orders;
      const lastName = rows.at(-1)?.name;
      if (lastName !== undefined && rows.length >= restockPageMax) this.#restockAfter(lastName);
    } catch (error) {
      const { code, message } = reach.failed(error);
      logger.warn({ code }, `restock failed: ${message}`);
    }
  }
}

/** The only place where the leader reads what it passes on. */
function logOutcomes(logger: Logger, calls: readonly Call[], { answers }: Applied): void {
  for (const [index, answer] of answers.entries()) {
    if ("refused" in answer) continue;
    const trades = unpackTrades(calls[index]?.trades ?? "");
    for (const [place, outcome] of unpackOutcomes(answer.outcomes).entries()) {
      const trade = trades[place];
      logger.debug({ requestId: trade?.requestId, key: trade?.key, ...outcome }, "trade decided");
    }
  }
}

function isCall(write: Call | RestockPage): write is Call {
  return "trades" in write;
}

/** How many of the waiting writes go next: calls with at most `batchTradesMax` trades, or one page of a restock. */
function nextWriteLength(waiting: readonly (Call | RestockPage)[]): number {
  let trades = 0;
  let count = 0;
  for (const write of waiting) {
    if (!isCall(write) || (count > 0 && trades + write.count > batchTradesMax)) break;
    trades += write.count;
    count += 1;
  }
  return Math.max(1, count);
}
