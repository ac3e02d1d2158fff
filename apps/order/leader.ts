/**
 * The leader's work for one term: it takes trades, sends them to the catalog in batches, stores the orders, sends them
 * to the followers, and answers when R5 holds. Storing and replicating one batch runs in parallel with the `Apply` of
 * the next.
 */

import type {
  Applied,
  CatalogApi,
  Extended,
  FollowReply,
  FollowRequest,
  Stream,
  StreamHandlers,
  Traded,
  TradesRequest,
} from "@stock-bazaar/shared/api";
import { OrderBatch } from "@stock-bazaar/shared/batches";
import { BatchQueue } from "@stock-bazaar/shared/batch-queue";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import { ApplyQueue, type Call } from "./apply-queue.ts";
import { CatalogReach } from "./catalog-reach.ts";
import type { FeedSource } from "./feed.ts";
import { Followers } from "./followers.ts";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";
import { RecentOrders } from "./recent-orders.ts";

/** How many trades may wait for an answer. The leader rejects further trades with OVERLOADED. */
const queueTradesMax = 20_000;
const recentOrdersMax = 10_000;
/** Maximum of orders in one read of the ledger, and of orders that may wait for the disk before the next read. */
const pullOrdersMax = 5000;
/** A follower that misses more orders than this isn't asked to take over: trades would wait while it reads them. */
const successorLagMax = 1000;
/** Interval at which an idle leader asks the ledger whether it still leads and holds all orders. */
const askMs = 1000;

export interface LeaderOptions {
  readonly term: number;
  /** The life of the ledger that granted the term. */
  readonly life: string;
  readonly catalog: CatalogApi;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly minCopies: number;
  readonly rpcTimeoutMs: number;
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** Called when another replica has acquired the lead, or the ledger holds another history. */
  readonly deposed: (why: string) => void;
  /** Called when the disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class Leader implements FeedSource {
  readonly #options: LeaderOptions;
  readonly #recent = new RecentOrders(recentOrdersMax);
  readonly #followers: Followers;
  readonly #reach: CatalogReach;
  readonly #writes: ApplyQueue;
  /** Orders that wait for the leader's own disk. */
  readonly #storing: BatchQueue<Order>;
  /** The number of trades that wait for an answer. */
  #tradesTaken = 0;
  /** Called when no trade waits for an answer any more. */
  #drainedCallbacks: (() => void)[] = [];
  /** The last order accepted from the ledger; disk and followers may not have it yet. The ids rise one by one. */
  #tail: Order | undefined;
  /** Every change up to this id is settled. settled ≤ tail */
  #settledId = 0;
  #stopped: BazaarError | undefined;
  #cancelRestock = () => {};
  #cancelAsk = () => {};

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#tail = options.log.last;
    this.#followers = new Followers({
      ...options,
      source: this,
      order: async (id) => this.#recent.get(id) ?? (await options.log.get(id)),
      storedId: options.log.lastId,
      timeoutMs: options.rpcTimeoutMs,
    });
    const last = () => this.#tail;
    this.#reach = new CatalogReach({ ...options, last });
    this.#writes = new ApplyQueue({
      ...options,
      reach: this.#reach,
      last,
      accept: (applied) => this.#accept(applied),
      decided: (calls, applied) => void this.#answer(calls, applied),
    });
    this.#storing = new BatchQueue({
      ...options,
      work: (orders) => this.#store(orders),
      failed: options.fatal,
    });
  }

  get term(): number {
    return this.#options.term;
  }

  get tailId(): number {
    return this.#tail?.id ?? 0;
  }

  /** True if the catalog answers this leader. */
  get reachesCatalog(): boolean {
    return this.#reach.reaches;
  }

  get liveFollowers(): number[] {
    return this.#followers.live;
  }

  /** The live followers that may lead without reading much first, the highest id first, as front-ends choose them (R1). */
  get successors(): number[] {
    return this.#followers.live
      .filter((id) => this.tailId - this.#followers.ackedId(id) <= successorLagMax)
      .toReversed();
  }

  /** Reads the missing orders up to `head` from the ledger and stores them (R1). Only then may the leader serve. */
  async catchUp(head: number): Promise<void> {
    const missed = head - this.tailId;
    await this.#pullUpTo(head);
    await this.stored();
    if (missed > 0) this.#options.logger.info({ orders: missed, lastId: this.tailId }, "caught up with the ledger");
  }

  /** Begins to serve. */
  start(): void {
    this.#followers.start();
    const { clock, restockIntervalMs } = this.#options;
    this.#cancelAsk = every(clock, askMs, () => this.#writes.ask());
    if (restockIntervalMs > 0) this.#cancelRestock = every(clock, restockIntervalMs, () => this.#writes.restock());
  }

  trade(request: TradesRequest): Promise<Traded> {
    const { count } = request;
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#tradesTaken + count > queueTradesMax) {
      return Promise.reject(new BazaarError("OVERLOADED", `at most ${queueTradesMax} trades may wait for an answer`));
    }
    if (!this.#followers.enough) {
      return Promise.reject(
        new BazaarError(
          "DEPENDENCY_UNAVAILABLE",
          `at least ORDER_MIN_COPIES = ${this.#options.minCopies} replicas must be live (got ${1 + this.liveFollowers.length})`,
        ),
      );
    }
    this.#tradesTaken += count;
    return new Promise<Traded>((resolve, reject) => {
      this.#writes.push({ ...request, resolve, reject });
    }).finally(() => {
      this.#tradesTaken -= count;
      if (this.#tradesTaken === 0) for (const drained of this.#drainedCallbacks.splice(0)) drained();
    });
  }

  recent(afterId: number, limit: number): OrderBatch | undefined {
    return this.#recent.after(afterId, limit);
  }

  async read(afterId: number, limit: number): Promise<OrderBatch> {
    return new OrderBatch(await this.#options.log.after(afterId, limit));
  }

  /** Opens the stream of a follower. */
  follow(handlers: StreamHandlers<FollowReply>): Stream<FollowRequest> {
    return this.#followers.follow(handlers);
  }

  /**
   * Rejects the waiting trades and ends the streams. Applied trades stay in the ledger: a retry returns their outcome.
   */
  stop(reason: BazaarError): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#cancelRestock();
    this.#cancelAsk();
    this.#reach.stop();
    this.#writes.reject(reason);
    // The ledger holds these orders: this replica's next role reads them again.
    this.#storing.clear();
    this.#followers.stop(reason);
  }

  /** Resolves when all accepted calls are answered. */
  drained(): Promise<void> {
    if (this.#tradesTaken === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drainedCallbacks.push(resolve));
  }

  /** Resolves when no order waits for the disk. After `stop`, nothing more is written to the log from then on. */
  stored(): Promise<void> {
    return this.#storing.idle();
  }

  /** Stores and replicates the orders that the catalog has decided, and reads those that this leader misses. */
  async #accept({ orders, head }: Extended): Promise<void> {
    const { firstId } = orders;
    if (firstId > 0 && firstId <= this.tailId && !this.#stopped) {
      // An answer with this number would give one client the order of another (I4).
      throw new BazaarError(
        "DIVERGED",
        `the ledger must number new orders from ${this.tailId + 1} on (got ${firstId}): is catalog.db the right file?`,
      );
    }
    if (firstId === this.tailId + 1) this.#take(orders);
    await this.#pullUpTo(head);
  }

  /** Reads missing orders from the ledger. An `Apply` whose answer was lost leaves such orders. */
  async #pullUpTo(head: number): Promise<void> {
    while (this.tailId < head) {
      if (this.#stopped) throw this.#stopped;
      const orders = await this.#options.catalog.ordersAfter(this.tailId, pullOrdersMax);
      if (orders.length === 0)
        throw new BazaarError("DIVERGED", `the ledger has no order after ${this.tailId}, though its head is ${head}`);
      this.#take(new OrderBatch(orders));
      if (this.#storing.length > pullOrdersMax) await this.stored();
    }
  }

  #take(orders: OrderBatch): void {
    const last = orders.rows.at(-1);
    // After `stop`, the replica's next role owns the log.
    if (!last || this.#stopped) return;
    invariant(orders.firstId === this.tailId + 1, "an accepted order follows the tail", orders.firstId, this.tailId);
    this.#recent.push(orders);
    this.#tail = last;
    this.#followers.poke();
    this.#storing.push(orders.rows);
  }

  async #store(orders: readonly Order[]): Promise<void> {
    const { log } = this.#options;
    await log.append(orders);
    this.#followers.stored(log.lastId);
  }

  /**
   * Answers when every order up to `head` has its copies (R5), and the changes are settled unless all callers settle (R7).
   * The outcome of a repeated key is never above `head`, so it has its copies too.
   */
  async #answer(calls: readonly Call[], { answers, head }: Applied): Promise<void> {
    try {
      invariant(head <= this.tailId, "head ≤ tail", head, this.tailId);
      const settled = calls.every(({ callerSettles }) => callerSettles) ? undefined : this.#settled(head);
      await Promise.all([this.#followers.confirmed(head), settled]);
      const { life } = this.#options;
      for (const [index, { resolve, reject }] of calls.entries()) {
        const answer = answers[index];
        // With another number of answers, this one may belong to another call.
        if (answer === undefined || answers.length !== calls.length) reject(otherAnswers(calls, answers));
        else if ("refused" in answer) reject(answer.refused);
        else resolve({ outcomes: answer.outcomes, head, life });
      }
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  }

  async #settled(head: number): Promise<void> {
    if (head <= this.#settledId) return;
    try {
      await this.#options.catalog.settle(head);
    } catch (error) {
      throw this.#reach.failed(error);
    }
    this.#settledId = Math.max(this.#settledId, head);
    invariant(this.#settledId <= this.tailId, "settled ≤ tail", this.#settledId, this.tailId);
  }
}

function otherAnswers(calls: readonly unknown[], answers: readonly unknown[]): BazaarError {
  const text = `the catalog must answer each of ${calls.length} calls (got ${answers.length} answers)`;
  return new BazaarError("INTERNAL_ERROR", text);
}
