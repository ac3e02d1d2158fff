/**
 * The order replicas as this front-end sees them. It watches each one: the end of a stream means that the process is
 * gone, and silence on an open stream that it is frozen. Both are detected long before the deadline of a call.
 */

import type { OrderApi, ReplicaStatus, Stream } from "@stock-bazaar/shared/api";
import { Backoff, type Clock, every } from "@stock-bazaar/shared/clock";
import { OtherVersionError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { ReplicaState } from "./bazaar.ts";

/** A replica that has sent nothing for this long is taken for frozen. It sends its status every 50 ms. */
const silentMs = 500;
const checkMs = 50;
/** If a check is late by more than this, this process slept, and messages from the replicas may still be unread. */
const sleptMs = 200;
const retryFirstMs = 20;
const retryMaxMs = 250;

export interface LiveReplica {
  readonly id: number;
  readonly api: OrderApi;
  /** The id of its last order in its last status. */
  readonly lastId: number;
  /** Aborts the calls to the replica when it is no longer live. */
  readonly gone: AbortSignal;
}

export interface ReplicasOptions {
  readonly apis: ReadonlyMap<number, OrderApi>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Called with each status, and with `undefined` when a replica is no longer live. */
  readonly changed: (id: number, status: ReplicaStatus | undefined) => void;
}

interface Watched {
  readonly id: number;
  readonly api: OrderApi;
  readonly backoff: Backoff;
  stream: Stream<never> | undefined;
  state: ReplicaState["state"];
  status: ReplicaStatus | undefined;
  /** True if it is away because it speaks another version of the messages. */
  otherVersion: boolean;
  lastStatusMs: number;
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
          lastStatusMs: Number.NEGATIVE_INFINITY,
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

  /** True if any of them speaks another version of the messages. */
  get otherVersion(): boolean {
    return [...this.#watched.values()].some(({ otherVersion }) => otherVersion);
  }

  get(id: number): LiveReplica | undefined {
    const watched = this.#watched.get(id);
    if (watched?.state !== "live") return undefined;
    return { id, api: watched.api, lastId: watched.status?.lastId ?? 0, gone: watched.alive.signal };
  }

  /** The live replicas, highest id first. */
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
        if (current) this.#received(watched, status);
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

  #received(watched: Watched, status: ReplicaStatus): void {
    watched.lastStatusMs = this.#options.clock.nowMs();
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
      state === "silent" ? `replica has been silent for ${silentMs} ms` : "replica is gone",
    );
    watched.alive.abort();
    this.#options.changed(watched.id, undefined);
  }

  #check(slept: boolean): void {
    const nowMs = this.#options.clock.nowMs();
    for (const watched of this.#watched.values()) {
      if (slept) watched.lastStatusMs = nowMs;
      else if (watched.state === "live" && nowMs - watched.lastStatusMs > silentMs) this.#lost(watched, "silent");
    }
  }
}
