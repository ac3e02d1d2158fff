/**
 * The leader's side of one follower's stream (R4). One loop sends the orders after the last id that the follower holds,
 * and then new orders as they arrive. At most a window of orders is in flight, so that a follower that is slow, frozen
 * or far behind costs a bounded amount of memory.
 */

import type { OrderBatch } from "@stock-bazaar/shared/batches";
import { invariant } from "@stock-bazaar/shared/invariant";

/** Orders in one message. Large enough for one commit to carry many, small enough to pass quickly. */
const chunkOrdersMax = 1000;
/** Maximum number of orders that are sent and not yet acknowledged. */
const windowOrdersMax = 8 * chunkOrdersMax;

export interface FeedSource {
  /** The id of the newest order. */
  readonly tailId: number;
  /** Returns orders from memory, or `undefined` if they must be read. */
  recent(afterId: number, limit: number): OrderBatch | undefined;
  read(afterId: number, limit: number): Promise<OrderBatch>;
}

export class Feed {
  readonly #source: FeedSource;
  readonly #send: (orders: OrderBatch) => void;
  readonly #failed: (error: unknown) => void;
  /** acked ≤ sent ≤ the source's tail */
  #sentId: number;
  #ackedId: number;
  #running = false;
  /** Whether orders wait for an acknowledgement: the window is full, or they can't be read yet. */
  #held = false;
  #closed = false;

  constructor(
    source: FeedSource,
    startId: number,
    send: (orders: OrderBatch) => void,
    failed: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#sentId = startId;
    this.#ackedId = startId;
    this.#send = send;
    this.#failed = failed;
  }

  /** The id of the last order that was sent, or that the follower held at the start. */
  get sentId(): number {
    return this.#sentId;
  }

  /** To be called when there may be new orders to send. */
  poke(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    this.#run().catch(this.#failed);
  }

  acknowledged(ackedId: number): void {
    invariant(ackedId <= this.#sentId, "acked ≤ sent", ackedId, this.#sentId);
    this.#ackedId = Math.max(this.#ackedId, ackedId);
    if (this.#held) this.poke();
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    while (!this.#closed && this.#sentId < this.#source.tailId) {
      const room = windowOrdersMax - (this.#sentId - this.#ackedId);
      if (room <= 0) break;
      const limit = Math.min(chunkOrdersMax, room);
      const orders = this.#source.recent(this.#sentId, limit) ?? (await this.#source.read(this.#sentId, limit));
      const { lastId } = orders;
      if (this.#closed || lastId === 0) break;
      const { tailId } = this.#source;
      invariant(lastId > this.#sentId && lastId <= tailId, "sent rises, and sent ≤ tail", lastId, tailId);
      this.#sentId = lastId;
      this.#send(orders);
    }
    this.#held = this.#sentId < this.#source.tailId;
    this.#running = false;
  }
}
