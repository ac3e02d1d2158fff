/**
 * Who leads (R1). Without a leader, the register is read: a newer term there is adopted, else the live
 * replica with the highest id is asked to lead. A leader stays until it is gone, silent, or says itself that
 * it doesn't lead. Two front-ends that disagree can't hurt: the term keeps order in the catalog.
 */

import type { CatalogApi, ReplicaStatus } from "@stock-bazaar/shared/api";
import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/shared/log";
import type { LiveReplica, Replicas } from "./replicas.ts";

const retryFirstMs = 5;
const retryMaxMs = 200;
/** When everything starts at once, how long the replicas are waited for after one is there, so that the highest id leads. */
const gatherMs = 1000;

export interface ChosenLeader extends LiveReplica {
  readonly term: number;
}

export interface LeaderChoiceOptions {
  readonly catalog: Pick<CatalogApi, "register">;
  readonly replicas: Replicas;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

export class LeaderChoice {
  readonly #options: LeaderChoiceOptions;
  readonly #backoff: Backoff;
  #leader: ChosenLeader | undefined;
  /** The newest term whose leader this front-end has known. */
  #term = 0;
  #choosing = false;
  #stopped = false;
  #firstLiveMs: number | undefined;
  #hadLeader = false;
  /** Replicas whose history isn't the ledger's: not asked again until somebody leads. */
  readonly #diverged = new Set<number>();
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

  /** To be called with what `Replicas` hears; `undefined` when a replica is no longer live. */
  heard(id: number, status: ReplicaStatus | undefined): void {
    if (status === undefined) {
      if (this.#leader?.id === id) this.#lose("is gone");
      return;
    }
    this.#firstLiveMs ??= this.#options.clock.nowMs();
    if (status.role === "leader" && status.term > this.#term) {
      const replica = this.#options.replicas.get(id);
      if (replica) this.#adopt(replica, status.term);
    } else if (this.#leader?.id === id && status.role === "follower") {
      this.#lose("doesn't lead any more");
    }
  }

  /** The leader says that it doesn't lead. */
  refused(leader: ChosenLeader): void {
    if (this.#leader === leader) this.#lose("refuses to lead");
  }

  #lose(why: string): void {
    this.#options.logger.warn({ leader: this.#leader?.id, term: this.#term }, `the leader ${why}`);
    this.#leader = undefined;
    this.#backoff.reset();
    this.#wake();
    this.#choose();
  }

  #adopt(replica: LiveReplica, term: number): void {
    this.#leader = { ...replica, term };
    this.#term = term;
    this.#hadLeader = true;
    this.#diverged.clear();
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
    while (!this.#leader && !this.#stopped) {
      if (this.#options.replicas.live.length === 0 || !(await this.#tryOnce())) {
        if (this.#leader) break;
        await this.changed(this.#backoff.nextMs());
      }
    }
    this.#choosing = false;
  }

  /** True if there is a leader now. */
  async #tryOnce(): Promise<boolean> {
    const { catalog, replicas, logger } = this.#options;
    let candidate: LiveReplica | undefined;
    let register: Register | undefined;
    try {
      register = await catalog.register();
      if (this.#leader) return true;
      const named = register.term > this.#term ? replicas.get(register.leader) : undefined;
      if (!named && this.#gathering()) return false;
      candidate = named ?? replicas.live.find(({ id }) => !this.#diverged.has(id));
      if (!candidate) {
        // Somebody may have put the right file back: ask them again, after a pause.
        this.#diverged.clear();
        return false;
      }
      // The one that the register names leads already, and just says so.
      const { term } = await candidate.api.lead(named ? register.term - 1 : register.term, candidate.gone);
      if (candidate.gone.aborted) return false;
      if (this.#knowsNoLaterThan(term)) this.#adopt(candidate, term);
      this.#announce(candidate.id, term);
      return this.#leader !== undefined;
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      // The named leader has been restarted and follows now, or it is too late: its term is over.
      if (code === "STALE_TERM" && register) this.#term = Math.max(this.#term, register.term);
      if (code === "DIVERGED" && candidate) {
        this.#diverged.add(candidate.id);
        logger.error({ replica: candidate.id }, `can't lead: ${message}`);
      } else {
        logger.debug({ code, replica: candidate?.id }, `no leader yet: ${message}`);
      }
      return this.#leader !== undefined;
    }
  }

  /** A heartbeat may have told of a leader while another was being asked. */
  #knowsNoLaterThan(term: number): boolean {
    return !this.#leader || this.#leader.term < term;
  }

  /** Before this front-end has known a leader: are there replicas that may still be starting? */
  #gathering(): boolean {
    const { replicas, clock } = this.#options;
    if (this.#hadLeader) return false;
    if (this.#firstLiveMs === undefined) return true;
    const everybody = replicas.live.length === replicas.states.length;
    return !everybody && clock.nowMs() - this.#firstLiveMs < gatherMs;
  }

  /** A hint to every replica; those that miss it read the register. */
  #announce(leader: number, term: number): void {
    for (const replica of this.#options.replicas.all) replica.setLeader({ term, leader }).catch(() => {});
  }

  #wake(): void {
    const wakers = this.#wakers;
    this.#wakers = new Set();
    for (const wake of wakers) wake();
  }
}
