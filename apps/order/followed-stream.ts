/**
 * One stream from a leader, at the follower's end (R4). What arrives is stored in the order of its numbers and
 * acknowledged; a gap, or a leader that falls silent, ends the stream.
 */

import type { FollowReply, FollowRequest, OrderApi, Stream } from "@stock-bazaar/shared/api";
import { BatchQueue } from "@stock-bazaar/shared/batch-queue";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

/** The leader sends a sign of life every 100 ms: after this long it is taken for frozen. */
const leaderSilentMs = 1000;
/** Interval between two checks for that. */
const checkMs = 250;
/** A check that is later than this means that this process slept: messages from the leader are not read yet. */
const sleptMs = 250;
/** With fewer orders than this to fetch, catching up is not worth a line in the log. */
const catchUpWorthTelling = 100;

export interface FollowedStreamOptions {
  readonly replicaId: number;
  readonly leader: number;
  readonly peer: Pick<OrderApi, "follow">;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Orders were stored, or there were none that this replica misses. */
  readonly progressed: () => void;
  /** The disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class FollowedStream {
  /** Resolves when the stream is over and nothing more will be stored. */
  readonly over: Promise<void>;
  readonly #options: FollowedStreamOptions;
  readonly #stream: Stream<FollowRequest>;
  readonly #startId: number;
  readonly #startedMs: number;
  #heardMs: number;
  /** Orders that wait for the next append, a window of the leader's feed at most: a batch is one transaction, one fsync. */
  readonly #storing: BatchQueue<Order>;
  #caughtUp = false;
  #ended = false;
  #resolveOver = () => {};
  #cancelWatch = () => {};

  constructor(options: FollowedStreamOptions) {
    const { log, clock, peer } = options;
    this.#options = options;
    this.over = new Promise((resolve) => (this.#resolveOver = resolve));
    this.#startId = log.lastId;
    this.#startedMs = clock.nowMs();
    this.#heardMs = this.#startedMs;
    this.#storing = new BatchQueue({ clock, work: (orders) => this.#store(orders), failed: options.fatal });
    this.#stream = peer.follow({
      message: (reply) => this.#received(reply),
      ended: (error) => this.end(error),
    });
    this.#stream.send({ ...this.#position(), last: log.last });
    this.#cancelWatch = every(clock, checkMs, (lateMs) => this.#check(lateMs > sleptMs));
  }

  end(error?: BazaarError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWatch();
    this.#stream.close();
    const { leader, log, logger } = this.#options;
    if (error?.code === "DIVERGED") logger.error({ leader }, error.message);
    else if (error && this.#heardMs > this.#startedMs)
      logger.warn({ leader, lastId: log.lastId }, `stream from the leader ended: ${error.message}`);
    this.#storing.clear();
    void this.#storing.idle().then(this.#resolveOver);
  }

  #received({ tailId, orders }: FollowReply): void {
    if (this.#ended) return;
    this.#heardMs = this.#options.clock.nowMs();
    if (orders.length === 0) return this.#heardSignOfLife(tailId);
    this.#storing.push(orders);
  }

  #heardSignOfLife(tailId: number): void {
    if (!this.#storing.isIdle) return;
    this.#stream.send(this.#position());
    const { leader, log, logger, progressed } = this.#options;
    if (log.lastId < tailId) return;
    progressed();
    if (this.#caughtUp) return;
    this.#caughtUp = true;
    const count = log.lastId - this.#startId;
    if (count >= catchUpWorthTelling) logger.info({ leader, orders: count, lastId: log.lastId }, "caught up");
  }

  async #store(orders: readonly Order[]): Promise<void> {
    const { log, logger, progressed } = this.#options;
    const next = continuation(log.lastId, orders);
    if (!next) return this.end(new BazaarError("UNAVAILABLE", `a gap after order ${log.lastId}`));
    await log.append(next);
    progressed();
    if (logger.isLevelEnabled("debug")) {
      for (const { id, key } of next) logger.debug({ order: id, key }, "order stored");
    }
    if (!this.#ended) this.#stream.send(this.#position());
  }

  #check(slept: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    if (slept) this.#heardMs = nowMs;
    if (nowMs - this.#heardMs > leaderSilentMs) this.end(new BazaarError("UNAVAILABLE", "the leader is silent"));
  }

  #position(): FollowRequest {
    const { replicaId, log } = this.#options;
    return { replica: replicaId, lastId: log.lastId, last: undefined };
  }
}

/** Of these orders those that come after `lastId`, each once; `undefined` if one that they need is missing (R4). */
function continuation(lastId: number, orders: readonly Order[]): Order[] | undefined {
  const next: Order[] = [];
  for (const order of orders) {
    const endId = lastId + next.length;
    if (order.id === endId + 1) next.push(order);
    else if (order.id > endId) return undefined;
  }
  return next;
}
