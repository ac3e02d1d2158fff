/**
 * The leader's followers: their streams (R4), which of them are live, and the answers that wait for their copies (R5).
 *
 * A follower that freezes costs the leader a bounded amount of memory: at most a window of orders is in flight on its stream
 * (`feed.ts`), and the stream is ended soon. When the follower wakes up, it asks for `id > last` on a new stream.
 */

import { advice } from "@stock-bazaar/process/advice";
import type { FollowReply, FollowRequest, Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import { OrderBatch } from "@stock-bazaar/shared/batches";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import { isSameOrder, type Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { Confirmations } from "./confirmations.ts";
import { Copies } from "./copies.ts";
import { Feed, type FeedSource } from "./feed.ts";

/** Interval at which new orders are sent to followers whose copies nobody waits for: a message costs more than an order. */
const feedEveryMs = 20;
/** Interval of the signs of life on every stream. The follower acknowledges them like orders. */
const heartbeatMs = 100;
/** A follower that has sent something within this time is live: several signs of life may be late or lost. */
const followerLiveMs = 500;
/** The stream of a follower that has sent nothing for this long is ended. It opens a new one when it wakes up. */
const followerSilentMs = 5000;

export interface FollowersOptions {
  readonly term: number;
  /** The orders to send. */
  readonly source: FeedSource;
  /** Returns the leader's order with this id. */
  readonly order: (id: number) => Promise<Order | undefined>;
  readonly storedId: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly minCopies: number;
  /** How long an order may wait for its copies. */
  readonly timeoutMs: number;
}

interface Attached {
  readonly feed: Feed;
  readonly send: (orders: OrderBatch) => void;
  readonly fail: (error: unknown) => void;
  lastMessageMs: number;
}

export class Followers {
  readonly #options: FollowersOptions;
  readonly #copies: Copies;
  readonly #confirmations: Confirmations;
  readonly #attached = new Map<number, Attached>();
  #stopped: BazaarError | undefined;
  #cancelHeartbeat = () => {};
  #lastFeedMs = Number.NEGATIVE_INFINITY;
  #feedsSoon = false;

  constructor(options: FollowersOptions) {
    this.#options = options;
    this.#copies = new Copies({ minCopies: options.minCopies, ownId: options.storedId });
    this.#confirmations = new Confirmations({
      copies: this.#copies,
      clock: options.clock,
      timeoutMs: options.timeoutMs,
    });
  }

  /** The followers that were heard from a moment ago, in the order of their ids. */
  get live(): number[] {
    const sinceMs = this.#options.clock.nowMs() - followerLiveMs;
    const live = [...this.#attached].filter(([, { lastMessageMs }]) => lastMessageMs >= sinceMs);
    return live.map(([replica]) => replica).sort((a, b) => a - b);
  }

  /** The last order that the follower has acknowledged; 0 if it isn't there. */
  ackedId(replica: number): number {
    return this.#copies.ackedId(replica);
  }

  /** True if enough replicas are live to confirm a new order. */
  get enough(): boolean {
    const { minCopies } = this.#options;
    return minCopies === 1 || 1 + this.live.length >= minCopies;
  }

  start(): void {
    this.#cancelHeartbeat = every(this.#options.clock, heartbeatMs, () => this.#beat());
  }

  stop(reason: BazaarError): void {
    this.#stopped = reason;
    this.#cancelHeartbeat();
    this.#confirmations.stop(reason);
    this.#feed();
    for (const { fail } of this.#attached.values()) fail(reason);
  }

  /**
   * To be called when there are new orders to send. They leave at once if a trade waits for their copies, else after the
   * answer that is being made.
   */
  poke(): void {
    const { clock, minCopies } = this.#options;
    if (minCopies > 1) return this.#feed();
    if (this.#feedsSoon) return;
    this.#feedsSoon = true;
    const feed = () => {
      this.#feedsSoon = false;
      this.#feed();
    };
    const waitMs = this.#lastFeedMs + feedEveryMs - clock.nowMs();
    if (waitMs <= 0) clock.soon(feed);
    else clock.after(waitMs, feed);
  }

  /** To be called when the leader itself has committed every order up to this id. */
  stored(id: number): void {
    this.#copies.stored(id);
    this.#confirmations.check();
  }

  /** Resolves when the orders up to `id` have their copies. Rejects with DEPENDENCY_UNAVAILABLE after the timeout. */
  confirmed(id: number): Promise<void> {
    return this.#confirmations.confirmed(id);
  }

  /** Opens the stream of a follower. */
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
      this.#attached.get(replica)?.fail(new BazaarError("UNAVAILABLE", "the follower has opened another stream"));
      const { source, term, clock, logger } = this.#options;
      const send = (orders: OrderBatch) => handlers.message({ term, tailId: source.tailId, orders });
      follower = { feed: new Feed(source, request.lastId, send, fail), send, fail, lastMessageMs: clock.nowMs() };
      this.#attached.set(replica, follower);
      this.#copies.joined(replica, request.lastId);
      logger.info({ follower: replica, lastId: request.lastId }, "follower joined");
      send(OrderBatch.empty);
      follower.feed.poke();
      this.#acknowledged(replica, follower, request.lastId);
    };
    return {
      send: (request) => {
        if (follower && request.lastId > follower.feed.sentId) fail(ackedTooMuch(request, follower.feed.sentId));
        else if (follower) this.#acknowledged(replica, follower, request.lastId);
        else attach(request).catch(fail);
      },
      close,
    };
  }

  /** Rejects unless the follower holds a prefix of the leader's orders: the same row at its last id (I3). */
  async #checkPrefix({ replica, lastId, last }: FollowRequest): Promise<void> {
    if (lastId === 0) return;
    if (lastId > this.#options.source.tailId) {
      throw new BazaarError(
        "NOT_LEADER",
        `replica ${replica} is ahead of this leader, at order ${lastId}: another replica leads`,
      );
    }
    if (isSameOrder(await this.#options.order(lastId), last)) return;
    throw new BazaarError(
      "DIVERGED",
      `replica ${replica} holds another order ${lastId}: ${advice.replaceDivergedReplica}`,
    );
  }

  #acknowledged(replica: number, follower: Attached, ackedId: number): void {
    if (this.#attached.get(replica) !== follower) return;
    follower.lastMessageMs = this.#options.clock.nowMs();
    this.#copies.acknowledged(replica, ackedId, this.#options.source.tailId);
    follower.feed.acknowledged(ackedId);
    this.#confirmations.check();
  }

  #feed(): void {
    this.#lastFeedMs = this.#options.clock.nowMs();
    for (const { feed } of this.#attached.values()) feed.poke();
  }

  #detach(replica: number, follower: Attached): void {
    follower.feed.close();
    if (this.#attached.get(replica) !== follower) return;
    this.#attached.delete(replica);
    this.#copies.left(replica);
    if (this.#stopped) return;
    this.#options.logger.warn({ follower: replica, lastId: this.#options.source.tailId }, "follower gone");
  }

  #beat(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { send, fail, lastMessageMs } of this.#attached.values()) {
      if (nowMs - lastMessageMs < followerSilentMs) send(OrderBatch.empty);
      else fail(new BazaarError("UNAVAILABLE", `the follower has been silent for ${followerSilentMs} ms`));
    }
  }
}

/** Accepting such an acknowledgement would count copies that don't exist (R5). */
function ackedTooMuch({ replica, lastId }: FollowRequest, sentId: number): BazaarError {
  return new BazaarError(
    "INVALID_REQUEST",
    `replica ${replica} must acknowledge no more than order ${sentId}, the last that was sent (got ${lastId})`,
  );
}
