/**
 * The follower's work (R4): find out who leads, ask for what is missing after the last id, store it, then
 * stay on the live tail. A stream that ends or falls silent is opened again, at whoever leads by then.
 */

import type { CatalogApi, FollowReply, FollowRequest, OrderApi, Stream } from "@stock-bazaar/shared/api";
import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/shared/log";
import type { OrderLog } from "./order-log.ts";

/** The leader sends a sign of life every 100 ms: after this long it is taken for frozen. */
const leaderSilentMs = 1000;
const retryFirstMs = 20;
const retryMaxMs = 500;
/** With fewer orders than this to fetch, catching up is not worth a line in the log. */
const catchUpWorthTelling = 100;

export interface Leadership {
  readonly term: number;
  /** 0: nobody. */
  readonly leader: number;
}

export interface FollowerOptions {
  readonly replicaId: number;
  readonly catalog: Pick<CatalogApi, "register">;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** How to reach another replica. */
  readonly peer: (replica: number) => Pick<OrderApi, "follow"> | undefined;
  /** The newest leadership that this replica has heard of. */
  readonly known: () => Leadership;
  readonly learned: (leadership: Leadership) => void;
  /** The disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class Follower {
  readonly #options: FollowerOptions;
  readonly #backoff: Backoff;
  #running: Promise<void> | undefined;
  #stopping = false;
  /** Ends the wait or the stream that the loop is in. */
  #interrupt: (() => void) | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(retryFirstMs, retryMaxMs, options.random);
  }

  start(): void {
    this.#stopping = false;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing more will be stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#interrupt?.();
    await this.#running;
    this.#running = undefined;
  }

  /** Somebody else leads now: the stream to the old leader is of no more use. */
  leaderChanged(): void {
    this.#backoff.reset();
    this.#interrupt?.();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const { leader, term } = this.#options.known();
      const peer = leader === this.#options.replicaId ? undefined : this.#options.peer(leader);
      if (peer) await this.#follow(leader, peer);
      if (this.#stopping) return;
      // A hint that came meanwhile is newer than anything the register could have told before.
      if (this.#options.known().term === term) {
        await this.#wait(this.#backoff.nextMs());
        await this.#askRegister();
      }
    }
  }

  async #askRegister(): Promise<void> {
    if (this.#stopping) return;
    try {
      this.#options.learned(await this.#options.catalog.register());
    } catch {
      // The catalog is away: the next round asks again.
    }
  }

  /** Follows one leader until its stream ends. */
  #follow(leader: number, peer: Pick<OrderApi, "follow">): Promise<void> {
    const { log, clock, logger, replicaId } = this.#options;
    const startId = log.last.id;
    const startedMs = clock.nowMs();
    let heardMs = startedMs;
    let pending: Order[] = [];
    let storing = false;
    let told = false;
    let cancelWatch = () => {};

    return new Promise((resolve) => {
      let ended = false;
      const end = (error?: BazaarError) => {
        if (ended) return;
        ended = true;
        cancelWatch();
        this.#interrupt = undefined;
        stream.close();
        if (error?.code === "DIVERGED") logger.error({ leader }, error.message);
        else if (error && heardMs > startedMs)
          logger.warn({ leader, lastId: log.last.id }, `stream from the leader ended: ${error.message}`);
        if (!storing) resolve();
      };

      const store = async () => {
        while (pending.length > 0 && !ended) {
          const orders = pending;
          pending = [];
          const next = continuation(log.last.id, orders);
          if (!next) {
            end(new BazaarError("UNAVAILABLE", `a gap after order ${log.last.id}`));
            break;
          }
          await log.append(next);
          this.#backoff.reset();
          if (logger.isLevelEnabled("debug")) {
            for (const { id, key } of next) logger.debug({ order: id, key }, "order stored");
          }
          if (!ended) stream.send(position());
        }
        storing = false;
        if (ended) resolve();
      };

      const received = ({ tailId, orders }: FollowReply) => {
        heardMs = clock.nowMs();
        if (orders.length === 0) {
          if (log.last.id >= tailId) this.#backoff.reset();
          if (!storing) stream.send(position());
          if (!told && !storing && log.last.id >= tailId) {
            told = true;
            const count = log.last.id - startId;
            if (count >= catchUpWorthTelling) logger.info({ leader, orders: count, lastId: log.last.id }, "caught up");
          }
          return;
        }
        for (const order of orders) pending.push(order);
        if (storing) return;
        storing = true;
        // All that has arrived by then is one transaction and one fsync.
        clock.soon(() => {
          store().catch(this.#options.fatal);
        });
      };

      const watch = () => {
        const sinceMs = clock.nowMs();
        cancelWatch = clock.after(leaderSilentMs / 4, () => {
          const nowMs = clock.nowMs();
          // If this timer comes late, it was this process that slept: what the leader sent waits to be read.
          if (nowMs - sinceMs > leaderSilentMs / 2) heardMs = nowMs;
          if (nowMs - heardMs > leaderSilentMs) end(new BazaarError("UNAVAILABLE", "the leader is silent"));
          else watch();
        });
      };

      const position = (): FollowRequest => ({ replica: replicaId, lastId: log.last.id, lastKey: log.last.key });
      const stream: Stream<FollowRequest> = peer.follow({ message: received, ended: end });
      this.#interrupt = () => end();
      stream.send(position());
      watch();
    });
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#interrupt = undefined;
        resolve();
      };
      const cancel = this.#options.clock.after(delayMs, done);
      this.#interrupt = done;
    });
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
