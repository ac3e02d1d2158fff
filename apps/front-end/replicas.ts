/**
 * Which order replicas are there, as this front-end sees them. It watches each: a stream that ends means that
 * the process is gone, and silence on an open one that it is frozen, long before any call's deadline.
 */

import type { OrderApi, ReplicaStatus, Stream } from "@stock-bazaar/shared/api";
import { Backoff, type Clock, every } from "@stock-bazaar/shared/clock";
import { OtherVersionError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { ReplicaState } from "./bazaar.ts";

/** A replica says how it is every 50 ms: after this long without a word it is taken for frozen. */
const silentMs = 500;
const checkMs = 50;
/** A check that is later than this means that this process slept: messages from the replicas are not read yet. */
const sleptMs = 200;
const retryFirstMs = 20;
const retryMaxMs = 250;

export interface LiveReplica {
  readonly id: number;
  readonly api: OrderApi;
  /** Its last order, as it said last. */
  readonly lastId: number;
  /** Aborts when the replica is no longer live: calls to it are then given up. */
  readonly gone: AbortSignal;
}

export interface ReplicasOptions {
  readonly apis: ReadonlyMap<number, OrderApi>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Something was heard, or is not heard any more. */
  readonly changed: (id: number, status: ReplicaStatus | undefined) => void;
}

interface Watched {
  readonly id: number;
  readonly api: OrderApi;
  readonly backoff: Backoff;
  stream: Stream<never> | undefined;
  state: ReplicaState["state"];
  status: ReplicaStatus | undefined;
  /** Is it away because it speaks another version of the messages? */
  otherVersion: boolean;
  heardMs: number;
  alive: AbortController;
}

export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #watched: Map<number, Watched>;
  #stopped = false;
  #cancelCheck = () => {};

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#watched = new Map(
      [...options.apis].map(([id, api]) => [
        id,
        {
          id,
          api,
          backoff: new Backoff(retryFirstMs, retryMaxMs, options.random),
          stream: undefined,
          state: "away",
          status: undefined,
          otherVersion: false,
          heardMs: Number.NEGATIVE_INFINITY,
          alive: new AbortController(),
        } satisfies Watched,
      ]),
    );
  }

  start(): void {
    for (const watched of this.#watched.values()) this.#watch(watched);
    this.#cancelCheck = every(this.#options.clock, checkMs, (lateMs) => this.#check(lateMs > sleptMs));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelCheck();
    for (const { stream } of this.#watched.values()) stream?.close();
  }

  get states(): ReplicaState[] {
    return [...this.#watched.values()].map(({ id, state, status }) => ({ id, state, status }));
  }

  /** Does any of them speak another version of the messages? */
  get otherVersion(): boolean {
    return [...this.#watched.values()].some(({ otherVersion }) => otherVersion);
  }

  get(id: number): LiveReplica | undefined {
    const watched = this.#watched.get(id);
    if (watched?.state !== "live") return undefined;
    return { id, api: watched.api, lastId: watched.status?.lastId ?? 0, gone: watched.alive.signal };
  }

  /** The live ones, highest id first. */
  get live(): LiveReplica[] {
    return [...this.#watched.keys()].sort((a, b) => b - a).flatMap((id) => this.get(id) ?? []);
  }

  get all(): OrderApi[] {
    return [...this.#watched.values()].map(({ api }) => api);
  }

  #watch(watched: Watched): void {
    if (this.#stopped) return;
    let current = true;
    const stream = watched.api.watch({
      message: (status) => {
        if (current) this.#heard(watched, status);
      },
      ended: (error) => {
        if (!current) return;
        current = false;
        watched.otherVersion = error instanceof OtherVersionError;
        watched.stream = undefined;
        this.#lost(watched, "away");
        this.#options.clock.after(watched.backoff.nextMs(), () => this.#watch(watched));
      },
    });
    watched.stream = stream;
  }

  #heard(watched: Watched, status: ReplicaStatus): void {
    watched.heardMs = this.#options.clock.nowMs();
    watched.status = status;
    watched.otherVersion = false;
    watched.backoff.reset();
    if (watched.state !== "live") {
      watched.state = "live";
      watched.alive = new AbortController();
      this.#options.logger.info({ replica: watched.id, lastId: status.lastId }, "replica is live");
    }
    this.#options.changed(watched.id, status);
  }

  #lost(watched: Watched, state: "silent" | "away"): void {
    if (watched.state === state) return;
    const wasLive = watched.state === "live";
    watched.state = state;
    if (!wasLive) return;
    this.#options.logger.warn(
      { replica: watched.id },
      state === "silent" ? `replica is silent for ${silentMs} ms` : "replica is gone",
    );
    watched.alive.abort();
    this.#options.changed(watched.id, undefined);
  }

  #check(slept: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    for (const watched of this.#watched.values()) {
      if (slept) watched.heardMs = nowMs;
      else if (watched.state === "live" && nowMs - watched.heardMs > silentMs) this.#lost(watched, "silent");
    }
  }
}
