/**
 * Chooses the leader (R1). Without a leader, the front-end reads the register and adopts a newer term there. Otherwise
 * it asks a live replica to lead: the one with the highest id among those that don't lag far behind. A leader stays
 * until it is gone, is silent, reports that it doesn't lead, or can't reach the catalog while this front-end can. Two
 * front-ends that disagree do no harm: the catalog accepts writes of the latest term only.
 */

import type { CatalogApi, ReplicaStatus } from "@stock-bazaar/shared/api";
import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import type { LiveReplica, Replicas } from "./replicas.ts";
import type { SeenLedger } from "./seen-ledger.ts";

const retryFirstMs = 5;
const retryMaxMs = 200;
/** How long the first choice waits for all replicas once one is live, so that the highest id leads. */
const gatherMs = 1000;
/** A leader that can't reach the catalog is replaced once this front-end has reached it for longer than this. */
const cutOffMs = 1000;
/**
 * A replica that misses more orders than this isn't asked while another misses fewer: until it has caught up, no trade
 * would be accepted.
 */
const lagOrdersMax = 10_000;

export interface ChosenLeader extends LiveReplica {
  readonly term: number;
}

export interface LeaderChoiceOptions {
  readonly catalog: Pick<CatalogApi, "register">;
  readonly replicas: Replicas;
  readonly ledger: SeenLedger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export class LeaderChoice {
  readonly #options: LeaderChoiceOptions;
  readonly #backoff: Backoff;
  /** The current leader. Only a leader of a later term may replace it. */
  #leader: ChosenLeader | undefined;
  /** The newest term for which this front-end has known the leader. */
  #term = 0;
  #choosing = false;
  #stopped = false;
  #firstLiveMs: number | undefined;
  #hadLeader = false;
  /**
   * Defined while the leader reports that it can't reach the catalog. `sinceMs` is the time since which every read of
   * this front-end has reached the catalog.
   */
  #cutOff: { sinceMs: number | undefined } | undefined;
  /** The replicas that couldn't lead, and the times from which on each is passed over. Cleared when none is left. */
  readonly #passedOverFromMs = new Map<number, number>();
  #wakers = new Set<() => void>();

  constructor(options: LeaderChoiceOptions) {
    this.#options = options;
    this.#backoff = new Backoff(retryFirstMs, retryMaxMs, options.random);
  }

  get leader(): ChosenLeader | undefined {
    return this.#leader;
  }

  get term(): number {
    return this.#term;
  }

  start(): void {
    this.#choose();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** Resolves when the leader has changed, or after `maxMs`. */
  changed(maxMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wakers.delete(done);
        resolve();
      };
      const cancel = this.#options.clock.after(maxMs, done);
      this.#wakers.add(done);
    });
  }

  /** To be called with each status of a replica, and with `undefined` when it is no longer live. */
  statusChanged(id: number, status: ReplicaStatus | undefined): void {
    if (status === undefined) {
      if (this.#leader?.id === id) this.#lose("is gone");
      return;
    }
    this.#firstLiveMs ??= this.#options.clock.nowMs();
    if (status.role === "leader" && status.term > this.#term) {
      const replica = this.#options.replicas.get(id);
      if (replica) this.#adopt(replica, status.term);
    } else if (this.#leader?.id === id) {
      if (status.role === "follower") this.#lose("doesn't lead any more");
      else this.#watchReach(status);
    }
  }

  /** The leader stays until another one leads: it may reach the catalog again before. */
  #watchReach({ reachesCatalog }: ReplicaStatus): void {
    if (reachesCatalog) this.#cutOff = undefined;
    else {
      this.#cutOff ??= { sinceMs: undefined };
      this.#choose();
    }
  }

  /** True if there is a leader, and it doesn't report that it can't reach the catalog. */
  get #isLed(): boolean {
    return this.#leader !== undefined && this.#cutOff === undefined;
  }

  /** True if only the leader has been cut off from the catalog, for so long that another replica should lead. */
  get #isCutOffTooLong(): boolean {
    const sinceMs = this.#cutOff?.sinceMs;
    return sinceMs !== undefined && this.#options.clock.nowMs() - sinceMs > cutOffMs;
  }

  /** To be called when a leader has answered that it doesn't lead. */
  refused(leader: ChosenLeader): void {
    if (this.#leader === leader) this.#lose("refuses to lead");
  }

  #lose(why: string): void {
    this.#options.logger.warn({ leader: this.#leader?.id, term: this.#term }, `the leader ${why}`);
    this.#leader = undefined;
    this.#cutOff = undefined;
    this.#backoff.reset();
    this.#wake();
    this.#choose();
  }

  #adopt(replica: LiveReplica, term: number): void {
    const former = this.#leader?.term ?? 0;
    invariant(former < term, "a leader is replaced by a later term only", former, term);
    this.#leader = { ...replica, term };
    this.#term = term;
    this.#hadLeader = true;
    this.#cutOff = undefined;
    this.#passedOverFromMs.clear();
    this.#backoff.reset();
    this.#options.logger.info({ leader: replica.id, term }, "leader chosen");
    this.#wake();
  }

  #choose(): void {
    if (this.#choosing) return;
    this.#choosing = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#isLed && !this.#stopped) {
      if (this.#options.replicas.live.length === 0 || !(await this.#tryOnce())) {
        if (this.#isLed) break;
        await this.changed(this.#backoff.nextMs());
      }
    }
    this.#choosing = false;
  }

  /** Makes one attempt. Returns true if there is a leader now. */
  async #tryOnce(): Promise<boolean> {
    const { catalog, replicas, ledger, logger } = this.#options;
    let candidate: LiveReplica | undefined;
    let register: Register | undefined;
    let askedMs = 0;
    try {
      register = await catalog.register(ledger.seen);
      ledger.ends(register);
      if (this.#isLed) return true;
      if (this.#cutOff) this.#cutOff.sinceMs ??= this.#options.clock.nowMs();
      const leading = register.term > this.#term ? replicas.get(register.leader) : undefined;
      const named = leading && !this.#isPassedOver(leading) ? leading : undefined;
      if (!named && this.#leader && !this.#isCutOffTooLong) return false;
      if (!named && this.#gathering()) return false;
      // No replica could acquire the lead now: each would be refused, and the catalog and it would log that.
      if (!named && register.obstacle !== undefined) return false;
      candidate = named ?? this.#candidate(register.head);
      if (!candidate) {
        // The obstacles may be gone, so after a pause all replicas are asked again.
        this.#passedOverFromMs.clear();
        return false;
      }
      askedMs = this.#options.clock.nowMs();
      // The replica that the register names already leads: it only returns its term.
      const { term } = await candidate.api.lead(named ? register.term - 1 : register.term, candidate.gone);
      if (candidate.gone.aborted) return false;
      if (this.#knowsNoLaterThan(term)) this.#adopt(candidate, term);
      this.#announce(candidate.id, term);
      return this.#isLed;
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      // The leader in the register has been restarted and follows now, or a later term has begun: its term is over.
      if (code === "STALE_TERM" && register) this.#term = Math.max(this.#term, register.term);
      if (candidate) this.#failed(candidate, code, askedMs);
      else if (this.#cutOff) this.#cutOff.sinceMs = undefined;
      if (code === "DIVERGED" && candidate) logger.error({ replica: candidate.id }, `can't lead: ${message}`);
      else logger.debug({ code, replica: candidate?.id }, `no leader yet: ${message}`);
      return this.#isLed;
    }
  }

  /** Decides from when on this replica is passed over. `lastId` is its last order at the time of the request, `askedMs`. */
  #failed({ id, lastId }: LiveReplica, code: ErrorCode, askedMs: number): void {
    const { replicas, clock } = this.#options;
    const nowMs = clock.nowMs();
    // A replica that is still catching up makes progress with each attempt.
    const isStuck = code === "UNAVAILABLE" && replicas.get(id)?.lastId === lastId;
    if (code === "DIVERGED" || isStuck) this.#passedOverFromMs.set(id, nowMs);
    else if (code === "DEPENDENCY_UNAVAILABLE" && !this.#passedOverFromMs.has(id)) {
      // The replica may still be connecting to a catalog that has just started.
      this.#passedOverFromMs.set(id, askedMs + cutOffMs);
    }
  }

  /** The replica to ask to lead, for a ledger that ends at `head`. */
  #candidate(head: number): LiveReplica | undefined {
    const { live } = this.#options.replicas;
    const longestId = Math.max(...live.map(({ lastId }) => lastId));
    const able = live.filter((replica) => replica.id !== this.#leader?.id && !this.#isPassedOver(replica));
    const longestFirst = able.toSorted((a, b) => b.lastId - a.lastId);
    // The ledger may have lost the orders of a replica that is longer. The catalog detects this from its request.
    if (longestId > head) return longestFirst[0];
    return able.find(({ lastId }) => longestId - lastId <= lagOrdersMax) ?? longestFirst[0];
  }

  #isPassedOver({ id }: LiveReplica): boolean {
    return this.#options.clock.nowMs() >= (this.#passedOverFromMs.get(id) ?? Number.POSITIVE_INFINITY);
  }

  /** A status may have reported a later leader while another replica was being asked. */
  #knowsNoLaterThan(term: number): boolean {
    return !this.#leader || this.#leader.term < term;
  }

  /** True if this front-end has never known a leader and some replicas may still be starting. */
  #gathering(): boolean {
    const { replicas, clock } = this.#options;
    if (this.#hadLeader) return false;
    if (this.#firstLiveMs === undefined) return true;
    const allLive = replicas.live.length === replicas.states.length;
    return !allLive && clock.nowMs() - this.#firstLiveMs < gatherMs;
  }

  /** Sends a hint to every replica. A replica that misses it reads the register. */
  #announce(leader: number, term: number): void {
    for (const replica of this.#options.replicas.all) replica.setLeader({ term, leader }).catch(() => {});
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = new Set();
    for (const wake of wakers) wake();
  }
}
