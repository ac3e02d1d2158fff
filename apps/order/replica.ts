/**
 * One order replica and its role (R1). It is a follower until a front-end asks it to lead. It leads until the catalog
 * or a hint reports a later term of another replica.
 */

import {
  type CatalogApi,
  type CopyApi,
  type CopyPage,
  type FollowReply,
  type FollowRequest,
  type OrderApi,
  ordersPageMax,
  type ReplicaStatus,
  type RoleName,
  type Stream,
  type StreamHandlers,
  type Traded,
  type TradesRequest,
} from "@stock-bazaar/shared/api";
import { type Clock, every } from "@stock-bazaar/shared/clock";
import type { Order } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import { Follower, type Leadership } from "./follower.ts";
import { handOver } from "./hand-over.ts";
import { Leader } from "./leader.ts";
import type { OrderLog } from "@stock-bazaar/order-log/order-log";

/** Interval at which this replica sends its status to its watchers. */
const statusMs = 50;

export interface ReplicaOptions {
  readonly replicaId: number;
  readonly catalog: CatalogApi;
  readonly log: OrderLog;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly minCopies: number;
  readonly rpcTimeoutMs: number;
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** How to reach another replica. */
  readonly peer: (replica: number) => Pick<OrderApi, "follow" | "lead" | "setLeader"> | undefined;
  /** Whether the log holds every order that this replica ever acknowledged. Default: it does. */
  readonly isWhole?: () => boolean;
  /** To be called when the disk fails: no answer of this process can be trusted any more. */
  readonly fatal: (error: unknown) => void;
}

const noSuccessors = { term: 0, successors: [] };

type Role =
  | { readonly name: "follower" }
  | { readonly name: "taking-over"; readonly done: Promise<{ term: number }> }
  | { readonly name: "leader"; readonly term: number; readonly leader: Leader };

export class Replica implements OrderApi, CopyApi {
  readonly #options: ReplicaOptions;
  readonly #follower: Follower;
  readonly #watchers = new Set<StreamHandlers<ReplicaStatus>>();
  #role: Role = { name: "follower" };
  /** The newest known leadership. Its term never falls. */
  #known: Leadership = { term: 0, leader: 0 };
  /** True from the request to stop on: this replica takes no lead any more. */
  #leaving = false;
  /** True once it has handed over, if it led: this replica accepts nothing any more. */
  #stopped = false;
  /** Resolves when this replica's last `Leader` no longer writes to the log. */
  #retired: Promise<void> = Promise.resolve();
  #cancelStatus = () => {};

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#follower = new Follower({
      ...options,
      known: () => this.#known,
      learned: (leadership) => this.#learn(leadership),
    });
  }

  /** Starts as a follower, even if this replica led before (R1). */
  start(): void {
    this.#options.logger.info({ lastId: this.#options.log.lastId }, "replica started");
    this.#follower.start();
    this.#cancelStatus = every(this.#options.clock, statusMs, () => this.#sendStatus());
  }

  /**
   * Hands the lead over, finishes the accepted calls, then stops. Nothing is written to the log any more; queries may still
   * read it.
   */
  async stop(): Promise<void> {
    this.#leaving = true;
    const { term, successors } = this.#role.name === "leader" ? this.#role.leader : noSuccessors;
    if (successors.length > 0) {
      // Until its term has passed it leads on, and accepts trades.
      const next = await handOver({ term, successors }, this.#options);
      if (next) this.#learn(next);
    }
    this.#stopped = true;
    this.#cancelStatus();
    for (const handlers of this.#watchers) handlers.ended(notLeader("this replica is stopping"));
    this.#watchers.clear();
    if (this.#role.name === "leader") {
      const { leader } = this.#role;
      await leader.drained();
      this.#retire(leader, "this replica is stopping");
    } else if (this.#role.name === "taking-over") {
      // The takeover fails, as this replica is stopping, but only after its last write to the log.
      await this.#role.done.catch(() => {});
    }
    await Promise.all([this.#follower.stop(), this.#retired]);
  }

  trade(request: TradesRequest): Promise<Traded> {
    if (this.#role.name !== "leader" || this.#stopped) return Promise.reject(this.#notLeader());
    return this.#role.leader.trade(request);
  }

  /** A hit never changes. A miss is confirmed with the ledger, because this replica may be behind (R6). */
  async order(id: number): Promise<Order | undefined> {
    const order = await this.#options.log.get(id);
    if (order) return order;
    const [fromLedger] = await this.#options.catalog.ordersAfter(id - 1, 1);
    return fromLedger?.id === id ? fromLedger : undefined;
  }

  async orders({ before, limit }: { before: number; limit: number }): Promise<Order[]> {
    if (this.#role.name !== "leader") throw this.#notLeader();
    return this.#options.log.newest(before, limit);
  }

  async lead(afterTerm: number): Promise<{ term: number }> {
    if (this.#leaving) throw notLeader("this replica is stopping");
    switch (this.#role.name) {
      case "leader":
        if (this.#role.term > afterTerm) return { term: this.#role.term };
        this.#stepDown("a later term exists");
        return this.#takeOver(afterTerm);
      case "taking-over":
        return this.#role.done;
      case "follower":
        return this.#takeOver(afterTerm);
    }
  }

  async setLeader(leadership: Leadership): Promise<void> {
    this.#learn(leadership);
  }

  follow(handlers: StreamHandlers<FollowReply>): Stream<FollowRequest> {
    if (this.#role.name === "leader") return this.#role.leader.follow(handlers);
    this.#options.clock.soon(() => handlers.ended(this.#notLeader()));
    return { send() {}, close() {} };
  }

  watch(handlers: StreamHandlers<ReplicaStatus>): Stream<never> {
    if (this.#stopped) {
      // An open stream would keep the server from stopping, and the front-ends from choosing another leader.
      this.#options.clock.soon(() => handlers.ended(notLeader("this replica is stopping")));
      return { send() {}, close() {} };
    }
    this.#watchers.add(handlers);
    handlers.message(this.#status());
    return { send() {}, close: () => this.#watchers.delete(handlers) };
  }

  async readCopy(afterId: number, limit: number): Promise<CopyPage> {
    const { log, isWhole = () => true } = this.#options;
    const orders = await log.after(afterId, Math.min(limit, ordersPageMax));
    return { orders, lastId: log.lastId, isWhole: isWhole() };
  }

  #takeOver(afterTerm: number): Promise<{ term: number }> {
    const done = this.#acquireAndCatchUp(afterTerm);
    this.#become({ name: "taking-over", done });
    return done;
  }

  async #acquireAndCatchUp(afterTerm: number): Promise<{ term: number }> {
    const { log, catalog, replicaId, logger, clock } = this.#options;
    const startedMs = clock.nowMs();
    let leader: Leader | undefined;
    try {
      await Promise.all([this.#follower.stop(), this.#retired]);
      const { term, head, life } = await catalog.acquire({
        replica: replicaId,
        term: afterTerm,
        last: log.last,
      });
      // A hint of a later term may have overtaken the answer.
      if (this.#known.term > term) throw this.#notLeader();
      this.#know({ term, leader: replicaId });
      leader = new Leader({ ...this.#options, term, life, deposed: (why) => this.#stepDown(why) });
      await leader.catchUp(head);
      if (this.#known.term !== term || this.#stopped) throw this.#notLeader();
      leader.start();
      this.#become({ name: "leader", term, leader });
      logger.info({ term, lastId: log.lastId, tookMs: Math.round(clock.nowMs() - startedMs) }, "leading");
      return { term };
    } catch (error) {
      const failure = takeoverFailure(error);
      if (leader) this.#retire(leader, "the takeover failed");
      logger.warn({ code: failure.code, afterTerm }, `takeover failed: ${failure.message}`);
      this.#becomeFollower();
      throw failure;
    }
  }

  #learn({ term, leader }: Leadership): void {
    if (term <= this.#known.term) return;
    this.#know({ term, leader });
    if (leader === this.#options.replicaId) return;
    this.#options.logger.info({ leader, term }, "leader changed");
    if (this.#role.name === "leader") this.#stepDown(`replica ${leader} leads since term ${term}`);
    else this.#follower.leaderChanged();
  }

  #know(leadership: Leadership): void {
    invariant(leadership.term >= this.#known.term, "a term never falls", leadership.term, this.#known.term);
    this.#known = leadership;
  }

  #stepDown(why: string): void {
    if (this.#role.name !== "leader") return;
    const { leader, term } = this.#role;
    this.#options.logger.warn({ term }, `no longer leading: ${why}`);
    this.#retire(leader, why);
    this.#becomeFollower();
  }

  #retire(leader: Leader, why: string): void {
    leader.stop(notLeader(why));
    this.#retired = leader.stored();
  }

  #becomeFollower(): void {
    this.#become({ name: "follower" });
    // Two writers would corrupt the log, so the follower waits for this replica's last `Leader`.
    void this.#retired.then(() => {
      if (this.#role.name === "follower" && !this.#stopped) this.#follower.start();
    });
  }

  #become(role: Role): void {
    this.#role = role;
    this.#sendStatus();
  }

  #notLeader(): BazaarError {
    const { leader, term } = this.#known;
    const known = leader === 0 ? "no leader is known" : `replica ${leader} leads in term ${term}`;
    return notLeader(`replica ${this.#options.replicaId} doesn't lead: ${known}`);
  }

  #status(): ReplicaStatus {
    return {
      replica: this.#options.replicaId,
      role: this.#role.name satisfies RoleName,
      term: this.#known.term,
      leader: this.#known.leader,
      lastId: this.#options.log.lastId,
      liveFollowers: this.#role.name === "leader" ? this.#role.leader.liveFollowers : [],
      reachesCatalog: this.#role.name !== "leader" || this.#role.leader.reachesCatalog,
    };
  }

  #sendStatus(): void {
    if (this.#watchers.size === 0) return;
    const status = this.#status();
    for (const handlers of this.#watchers) handlers.message(status);
  }
}

/**
 * Marks an unreachable catalog with its own code: another replica may reach it, so the front-end must see this (R1).
 */
function takeoverFailure(error: unknown): BazaarError {
  const { code, message } = BazaarError.from(error);
  return code === "UNAVAILABLE"
    ? new BazaarError("DEPENDENCY_UNAVAILABLE", `the catalog doesn't answer: ${message}`, { cause: error })
    : BazaarError.from(error);
}

function notLeader(message: string): BazaarError {
  return new BazaarError("NOT_LEADER", message);
}
