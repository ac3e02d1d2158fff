/**
 * The follower's side of a stream from the leader (R4). It stores the orders that arrive in the order of their ids, and
 * acknowledges them. A gap or a silent leader ends the stream.
 */

import type { FollowReply, FollowRequest, OrderApi, Stream } from "@stock-bazaar/shared/api";
import { BatchQueue } from "@stock-bazaar/shared/batch-queue";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

/** A leader that has sent nothing for this long is taken for frozen. It sends a sign of life every 100 ms. */
const leaderSilentMs = 1000;
/** Interval between two checks whether the leader is silent. */
const checkMs = 250;
/** If a check is late by more than this, this process slept, and messages from the leader may still be unread. */
const sleptMs = 250;
/** Catching up is logged from this number of orders on. */
const ordersLoggedMin = 100;

export interface FollowedStreamOptions {
  readonly replicaId: number;
  readonly leader: number;
  readonly peer: Pick<OrderApi, "follow">;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called when orders were stored, or when this replica holds all of the leader's orders. */
  readonly progressed: () => void;
  /** Called when the disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class FollowedStream {
  /** Resolves when the stream is over and nothing more will be stored. */
  readonly over: Promise<void>;
  readonly #options: FollowedStreamOptions;
  readonly #stream: Stream<FollowRequest>;
  readonly #startId: number;
  readonly #startedMs: number;
  #lastMessageMs: number;
  /** Orders that wait for the next append: at most a window of the leader's feed. A batch costs one commit. */
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
    this.#lastMessageMs = this.#startedMs;
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
    else if (error && this.#lastMessageMs > this.#startedMs)
      logger.warn({ leader, lastId: log.lastId }, `stream from the leader ended: ${error.message}`);
    this.#storing.clear();
    void this.#storing.idle().then(this.#resolveOver);
  }

  #received({ tailId, orders }: FollowReply): void {
    if (this.#ended) return;
    this.#lastMessageMs = this.#options.clock.nowMs();
    if (orders.rows.length === 0) return this.#receivedSignOfLife(tailId);
    this.#storing.push(orders.rows);
  }

  #receivedSignOfLife(tailId: number): void {
    if (!this.#storing.isIdle) return;
    this.#stream.send(this.#position());
    const { leader, log, logger, progressed } = this.#options;
    if (log.lastId < tailId) return;
    progressed();
    if (this.#caughtUp) return;
    this.#caughtUp = true;
    const count = log.lastId - this.#startId;
    if (count >= ordersLoggedMin) logger.info({ leader, orders: count, lastId: log.lastId }, "caught up");
  }

  async #store(orders: readonly Order[]): Promise<void> {
    const { log, logger, progressed } = this.#options;
    const next = continuation(log.lastId, orders);
    if (!next) return this.end(new BazaarError("UNAVAILABLE", `orders after ${log.lastId} are missing`));
    await log.append(next);
    progressed();
    if (logger.isLevelEnabled("debug")) {
      for (const { id, key } of next) logger.debug({ order: id, key }, "order stored");
    }
    if (!this.#ended) this.#stream.send(this.#position());
  }

  #check(slept: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    if (slept) this.#lastMessageMs = nowMs;
    if (nowMs - this.#lastMessageMs > leaderSilentMs)
      this.end(new BazaarError("UNAVAILABLE", `no message for ${leaderSilentMs} ms`));
  }

  #position(): FollowRequest {
    const { replicaId, log } = this.#options;
    return { replica: replicaId, lastId: log.lastId, last: undefined };
  }
}

/** Returns the orders after `lastId`, each once; `undefined` if there is a gap (R4). */
function continuation(lastId: number, orders: readonly Order[]): Order[] | undefined {
  const next: Order[] = [];
  for (const order of orders) {
    const endId = lastId + next.length;
    if (order.id === endId + 1) next.push(order);
    else if (order.id > endId) return undefined;
  }
  return next;
}
