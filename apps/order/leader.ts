/**
 * The leader's work for one term: it takes trades, has the catalog decide them in batches, stores the orders,
 * sends them to the followers, and answers when R5 holds.
 *
 * Batches form by themselves: what queues while one `Apply` is under way becomes the next. Storing and
 * replicating one batch runs beside the `Apply` of the next.
 */

import type {
  Applied,
  ApplyRequest,
  CatalogApi,
  FollowReply,
  FollowRequest,
  Stream,
  StreamHandlers,
} from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order, Outcome, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/shared/log";
import { Confirmations } from "./confirmations.ts";
import { Copies } from "./copies.ts";
import { Feed, type FeedSource } from "./feed.ts";
import type { OrderLog } from "./order-log.ts";
import { RecentOrders } from "./recent-orders.ts";

/** One `Apply`. */
const batchTradesMax = 2000;
/** Trades taken in and not answered yet; past this the leader says OVERLOADED at once. */
const queueTradesMax = 20_000;
const recentOrdersMax = 10_000;
/** One read of the ledger while catching up with it, and how many such orders may wait for the disk. */
const pullOrdersMax = 5000;
/** A sign of life on the streams of the followers, which they acknowledge like orders. */
const heartbeatMs = 100;
/** A follower that has said nothing for so long gets a new stream when it wakes up. */
const followerSilentMs = 5000;

export interface LeaderOptions {
  readonly replicaId: number;
  readonly term: number;
  readonly catalog: CatalogApi;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly minCopies: number;
  readonly rpcTimeoutMs: number;
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** Another replica has acquired the lead. */
  readonly deposed: () => void;
  /** The disk fails. */
  readonly fatal: (error: unknown) => void;
}

interface Call {
  readonly trades: readonly Trade[];
  readonly resolve: (outcomes: Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Attached {
  readonly feed: Feed;
  readonly send: (orders: readonly Order[]) => void;
  readonly fail: (error: unknown) => void;
  heardMs: number;
}

export class Leader implements FeedSource {
  readonly #options: LeaderOptions;
  readonly #recent = new RecentOrders(recentOrdersMax);
  readonly #copies: Copies;
  readonly #confirmations: Confirmations;
  readonly #followers = new Map<number, Attached>();
  readonly #calls: Call[] = [];
  /** Trades taken in and not answered yet. */
  #tradesTaken = 0;
  /** The last order taken in: on its way to the disk and to the followers. */
  #tailId: number;
  #unstored: Order[] = [];
  #storing = false;
  #pumping = false;
  #restockDue = false;
  /** Nothing up to this id waits for settlement any more. */
  #settledId = 0;
  #stopped: BazaarError | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #cancelRestock: (() => void) | undefined;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#tailId = options.log.last.id;
    this.#copies = new Copies({ minCopies: options.minCopies, ownId: options.log.last.id });
    this.#confirmations = new Confirmations({
      copies: this.#copies,
      clock: options.clock,
      timeoutMs: options.rpcTimeoutMs,
      dropped: (replica) =>
        options.logger.warn({ follower: replica, lastId: this.#tailId }, "follower dropped: too slow"),
    });
  }

  get tailId(): number {
    return this.#tailId;
  }

  get liveFollowers(): number[] {
    return this.#copies.live;
  }

  /** Takes over what the ledger holds up to `head` and stores it (R1). Only then may the leader serve. */
  async catchUp(head: number): Promise<void> {
    const missed = head - this.#tailId;
    await this.#pullUpTo(head);
    await this.#stored();
    if (missed > 0) this.#options.logger.info({ orders: missed, lastId: this.#tailId }, "caught up with the ledger");
  }

  /** Begins to serve. */
  start(): void {
    this.#beatLater();
    if (this.#options.restockIntervalMs > 0) this.#restockLater();
  }

  /** Outcomes in the order of the trades. */
  trade(trades: readonly Trade[]): Promise<Outcome[]> {
    if (this.#stopped) return Promise.reject(this.#stopped);
    if (this.#tradesTaken + trades.length > queueTradesMax) {
      return Promise.reject(new BazaarError("OVERLOADED", `${this.#tradesTaken} trades wait already`));
    }
    if (!this.#copies.enough) {
      return Promise.reject(
        new BazaarError(
          "DEPENDENCY_UNAVAILABLE",
          `fewer live replicas than ORDER_MIN_COPIES = ${this.#options.minCopies}`,
        ),
      );
    }
    this.#tradesTaken += trades.length;
    return new Promise<Outcome[]>((resolve, reject) => {
      this.#calls.push({ trades, resolve, reject });
      this.#pump();
    }).finally(() => {
      this.#tradesTaken -= trades.length;
    });
  }

  recent(afterId: number, limit: number): readonly Order[] | undefined {
    return this.#recent.after(afterId, limit);
  }

  read(afterId: number, limit: number): Promise<readonly Order[]> {
    return this.#options.log.after(afterId, limit);
  }

  /** A follower's stream. */
  follow(handlers: StreamHandlers<FollowReply>): Stream<FollowRequest> {
    let follower: Attached | undefined;
    let replica = 0;
    let closed = false;
    const close = () => {
      closed = true;
      if (follower) this.#detach(replica, follower);
    };
    const fail = (error: unknown) => {
      if (closed) return;
      close();
      handlers.ended(BazaarError.from(error));
    };
    const attach = async (request: FollowRequest) => {
      await this.#checkPrefix(request);
      if (closed) return;
      if (this.#stopped) throw this.#stopped;
      replica = request.replica;
      this.#followers.get(replica)?.fail(new BazaarError("UNAVAILABLE", "the follower has opened another stream"));
      const send = (orders: readonly Order[]) => handlers.message({ term: this.#options.term, orders });
      follower = { feed: new Feed(this, request.lastId, send, fail), send, fail, heardMs: this.#options.clock.nowMs() };
      this.#followers.set(replica, follower);
      this.#copies.joined(replica, request.lastId);
      send([]);
      this.#acknowledged(replica, follower, request.lastId);
    };
    return {
      send: (request) => {
        if (follower) this.#acknowledged(replica, follower, request.lastId);
        else attach(request).catch(fail);
      },
      close,
    };
  }

  /** Refuses what waits and ends the streams. What was applied stays in the ledger: a retry finds it. */
  stop(reason: BazaarError): void {
    if (this.#stopped) return;
    this.#stopped = reason;
    this.#cancelHeartbeat?.();
    this.#cancelRestock?.();
    for (const call of this.#calls.splice(0)) call.reject(reason);
    this.#confirmations.stop(reason);
    for (const { fail } of this.#followers.values()) fail(reason);
  }

  /** Resolves when all trades that were taken in are answered, and the disk is no longer needed. */
  async drained(): Promise<void> {
    while (this.#tradesTaken > 0) await new Promise<void>((resolve) => this.#options.clock.after(5, resolve));
    // An answer that isn't a success doesn't wait for the disk.
    await this.#stored();
  }

  /** Resolves when everything taken in is on the disk. */
  async #stored(): Promise<void> {
    while (this.#unstored.length > 0 || this.#storing)
      await new Promise<void>((resolve) => this.#options.clock.soon(resolve));
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // Everything that arrives in this turn shares the batch.
    this.#options.clock.soon(() => void this.#runPump());
  }

  async #runPump(): Promise<void> {
    while (!this.#stopped && (this.#calls.length > 0 || this.#restockDue)) {
      if (this.#restockDue) {
        this.#restockDue = false;
        await this.#restock();
      }
      const calls = this.#takeCalls();
      if (calls.length === 0) continue;
      try {
        const applied = await this.#apply({ term: this.#options.term, trades: calls.flatMap(({ trades }) => trades) });
        void this.#answer(calls, applied);
      } catch (error) {
        for (const call of calls) call.reject(error);
      }
    }
    this.#pumping = false;
  }

  #takeCalls(): Call[] {
    let trades = 0;
    let count = 0;
    for (const call of this.#calls) {
      if (count > 0 && trades + call.trades.length > batchTradesMax) break;
      trades += call.trades.length;
      count += 1;
    }
    return this.#calls.splice(0, count);
  }

  async #apply(request: ApplyRequest): Promise<Applied> {
    const { logger } = this.#options;
    try {
      const applied = await this.#options.catalog.apply(request);
      await this.#accept(applied);
      if (logger.isLevelEnabled("debug")) {
        for (const [index, outcome] of applied.outcomes.entries()) {
          logger.debug(
            { requestId: request.trades[index]?.requestId, key: request.trades[index]?.key, ...outcome },
            "trade decided",
          );
        }
      }
      return applied;
    } catch (error) {
      throw this.#catalogFailed(error);
    }
  }

  /** Passes on what the catalog has decided, and fetches what this leader doesn't know of. */
  async #accept({ orders, head }: Applied): Promise<void> {
    const next = orders.filter(({ id }) => id > this.#tailId);
    if (next[0]?.id === this.#tailId + 1) this.#take(next);
    await this.#pullUpTo(head);
  }

  /** An `Apply` whose answer was lost leaves orders in the ledger that only a read can show. */
  async #pullUpTo(head: number): Promise<void> {
    while (this.#tailId < head) {
      if (this.#stopped) throw this.#stopped;
      const orders = await this.#options.catalog.ordersAfter(this.#tailId, pullOrdersMax);
      if (orders.length === 0)
        throw new BazaarError("DIVERGED", `the ledger has no order after ${this.#tailId}, though its head is ${head}`);
      this.#take(orders);
      if (this.#unstored.length > pullOrdersMax) await this.#stored();
    }
  }

  #take(orders: readonly Order[]): void {
    const last = orders.at(-1);
    // After the end the log belongs to somebody else, who reads the ledger himself.
    if (!last || this.#stopped) return;
    this.#recent.push(orders);
    for (const order of orders) this.#unstored.push(order);
    this.#tailId = last.id;
    for (const { feed } of this.#followers.values()) feed.poke();
    if (this.#storing) return;
    this.#storing = true;
    // The followers' messages leave first: their fsync then runs beside ours.
    this.#options.clock.soon(() => {
      this.#store().catch(this.#options.fatal);
    });
  }

  async #store(): Promise<void> {
    while (this.#unstored.length > 0) {
      const orders = this.#unstored;
      this.#unstored = [];
      await this.#options.log.append(orders);
      this.#copies.stored(this.#options.log.last.id);
      this.#confirmations.check();
    }
    this.#storing = false;
  }

  /** R5, R7: answers when the orders have their copies and what they changed is settled. */
  async #answer(calls: readonly Call[], { outcomes, head }: Applied): Promise<void> {
    try {
      const lastId = outcomes.reduce(
        (id, outcome) => (outcome.status === "accepted" ? Math.max(id, outcome.orderId) : id),
        0,
      );
      await Promise.all([this.#confirmations.confirmed(lastId), this.#settled(head)]);
      let start = 0;
      for (const { trades, resolve } of calls) {
        resolve(outcomes.slice(start, start + trades.length));
        start += trades.length;
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
      throw this.#catalogFailed(error);
    }
    this.#settledId = Math.max(this.#settledId, head);
  }

  async #restock(): Promise<void> {
    try {
      await this.#accept(
        await this.#options.catalog.restock({ term: this.#options.term, quantity: this.#options.restockQuantity }),
      );
    } catch (error) {
      const { code, message } = this.#catalogFailed(error);
      this.#options.logger.warn({ code }, `restock failed: ${message}`);
    }
  }

  /** What a failed call to the catalog means to whoever asked the leader. */
  #catalogFailed(error: unknown): BazaarError {
    const failure = BazaarError.from(error);
    switch (failure.code) {
      case "FENCED":
        this.#options.deposed();
        return new BazaarError("NOT_LEADER", failure.message, { cause: error });
      case "UNAVAILABLE":
      case "OVERLOADED":
        return new BazaarError("DEPENDENCY_UNAVAILABLE", `the catalog doesn't answer: ${failure.message}`, {
          cause: error,
        });
      default:
        return failure;
    }
  }

  /** A follower must hold a prefix of what we hold: the same key at its last id (I3). */
  async #checkPrefix({ replica, lastId, lastKey }: FollowRequest): Promise<void> {
    if (lastId === 0) return;
    if (lastId > this.#tailId)
      throw new BazaarError("NOT_LEADER", `replica ${replica} is ahead, at order ${lastId}: somebody else leads`);
    const order = this.#recent.get(lastId) ?? (await this.#options.log.get(lastId));
    if (order?.key !== lastKey) {
      throw new BazaarError(
        "DIVERGED",
        `replica ${replica} holds another order ${lastId}: delete its database and it fills up again`,
      );
    }
  }

  #acknowledged(replica: number, follower: Attached, ackedId: number): void {
    if (this.#followers.get(replica) !== follower) return;
    follower.heardMs = this.#options.clock.nowMs();
    if (this.#copies.acknowledged(replica, ackedId, this.#tailId)) {
      this.#options.logger.info({ follower: replica, lastId: ackedId }, "follower is live");
    }
    follower.feed.acknowledged(ackedId);
    this.#confirmations.check();
  }

  #detach(replica: number, follower: Attached): void {
    follower.feed.close();
    if (this.#followers.get(replica) !== follower) return;
    this.#followers.delete(replica);
    this.#copies.left(replica);
    if (!this.#stopped) this.#options.logger.warn({ follower: replica, lastId: this.#tailId }, "follower gone");
    this.#confirmations.check();
  }

  #beatLater(): void {
    this.#cancelHeartbeat = this.#options.clock.after(heartbeatMs, () => {
      const nowMs = this.#options.clock.nowMs();
      for (const { send, fail, heardMs } of this.#followers.values()) {
        if (nowMs - heardMs < followerSilentMs) send([]);
        else fail(new BazaarError("UNAVAILABLE", `the follower has been silent for ${followerSilentMs} ms`));
      }
      this.#beatLater();
    });
  }

  #restockLater(): void {
    this.#cancelRestock = this.#options.clock.after(this.#options.restockIntervalMs, () => {
      this.#restockDue = true;
      this.#pump();
      this.#restockLater();
    });
  }
}
