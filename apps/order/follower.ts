/**
 * The follower's work (R4): find the leader, ask it for the orders after the last id, store them, then stay on its
 * stream. When the stream ends or falls silent, the follower opens a new one to the leader of that time.
 */

import type { CatalogApi, OrderApi } from "@stock-bazaar/shared/api";
import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
import type { Logger } from "@stock-bazaar/process/log";
import { FollowedStream } from "./followed-stream.ts";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

const retryFirstMs = 20;
const retryMaxMs = 500;

export interface Leadership {
  readonly term: number;
  /** 0 if no leader is known. */
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
  /** The newest known leadership. */
  readonly known: () => Leadership;
  readonly learned: (leadership: Leadership) => void;
  /** Called when the disk fails. */
  readonly fatal: (error: unknown) => void;
}

export class Follower {
  readonly #options: FollowerOptions;
  readonly #backoff: Backoff;
  #running: Promise<void> | undefined;
  #stopping = false;
  /** Ends the wait or the stream that the loop waits for. */
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

  /** To be called when another replica leads. Ends the stream to the old leader. */
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
      // If a hint arrived meanwhile, the next round uses it at once.
      if (this.#options.known().term === term) {
        await this.#wait(this.#backoff.nextMs());
        await this.#askRegister();
      }
    }
  }

  async #askRegister(): Promise<void> {
    if (this.#stopping) return;
    const { catalog, log, learned } = this.#options;
    try {
      learned(await catalog.register(undefined, log.last));
    } catch {
      // The catalog doesn't answer: the next round asks again.
    }
  }

  /** Follows one leader until its stream ends. */
  async #follow(leader: number, peer: Pick<OrderApi, "follow">): Promise<void> {
    const stream = new FollowedStream({ ...this.#options, leader, peer, progressed: () => this.#backoff.reset() });
    this.#interrupt = () => stream.end();
    await stream.over;
    this.#interrupt = undefined;
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
