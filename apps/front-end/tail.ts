/**
 * The front-end's side of the catalog's tail (R7, R8, R9). It begins sessions, renews the lease, applies the changes
 * that arrive to the cache, and only then acknowledges them.
 */

import type { CatalogApi, FrontEndState, Stream, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import { Backoff, type Clock, every, type Moment, momentOn } from "@stock-bazaar/shared/clock";
import type { Seen, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import { Waiters } from "@stock-bazaar/shared/waiters";
import type { SeenLedger } from "./seen-ledger.ts";
import type { Lease, StockCache } from "./stock-cache.ts";
import type { Settlement } from "./trades.ts";

/** Renewals in one lease: a few may be late before it expires. */
const renewalsPerLease = 5;
/** Timeout of a hello. The length of a lease is not known before the first answer. */
const helloTimeoutMs = 1000;
const goodbyeTimeoutMs = 200;
/**
 * Interval of the acknowledgements of a front-end that is alone. It settles its trades by itself, so only those who read at
 * the catalog wait for them.
 */
const acknowledgeEveryMs = 5;
const retryFirstMs = 20;
const retryMaxMs = 500;

export interface TailOptions {
  readonly catalog: Pick<CatalogApi, "tail">;
  readonly cache: StockCache;
  readonly ledger: SeenLedger;
  readonly clock: Clock;
  readonly random: () => number;
  /** This front-end's entry in the list of front-ends. */
  readonly self: FrontEndState;
  /** A session id that was never used before. */
  readonly newSession: () => string;
  readonly logger: Logger;
}

export class Tail implements Settlement {
  readonly #options: TailOptions;
  readonly #backoff: Backoff;
  #stream: Stream<TailRequest> | undefined;
  #session = "";
  #acked = 0;
  /** What the catalog was told of `#acked`. told ≤ acked */
  #toldAcked = 0;
  #acknowledgedMs = Number.NEGATIVE_INFINITY;
  #acknowledgesSoon = false;
  /** The length of the last lease; 0 if there was none. */
  #leaseMs = 0;
  /** The times at which the renewals in flight were sent, by sequence. */
  readonly #sent = new Map<number, Moment>();
  #sequence = 0;
  #begun = false;
  #alone = false;
  /** The ledger's life in this session, or in the last one. */
  #life = "";
  /** Every change up to this id is settled: no other session could serve when this one processed it. settled ≤ acked */
  #settledId = 0;
  readonly #waiters = new Waiters();
  #frontEnds: readonly FrontEndState[] = [];
  #cancelTimer = () => {};
  #goodbyeAnswered = () => {};
  #stopped = false;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#backoff = new Backoff(retryFirstMs, retryMaxMs, options.random);
  }

  /** The other front-ends with a cache, from the catalog's last answer; empty while there is no session. */
  get others(): FrontEndState[] {
    return this.#begun ? this.#frontEnds.filter(({ address }) => address !== this.#options.self.address) : [];
  }

  /** True if, at the last change, no other front-end could serve. */
  get alone(): boolean {
    return this.#alone;
  }

  async settled({ life, head }: Seen): Promise<boolean> {
    if (life !== this.#life) return false;
    if (head > this.#settledId && this.alone) await this.#waiters.until(head).catch(() => {});
    return life === this.#life && head <= this.#settledId;
  }

  /** Sends the acknowledgement that may wait. To be called before a request that the catalog answers only when settled. */
  acknowledge(): void {
    if (!this.#begun || this.#toldAcked === this.#acked) return;
    this.#acknowledgedMs = this.#options.clock.nowMs();
    this.#send("ack");
  }

  start(): void {
    const replaces = this.#session;
    const session = this.#options.newSession();
    this.#session = session;
    this.#acked = 0;
    this.#toldAcked = 0;
    this.#sequence = 0;
    this.#begun = false;
    this.#settledId = 0;
    this.#sent.clear();
    // Messages of an abandoned stream are ignored.
    const current = () => this.#session === session && !this.#stopped;
    this.#stream = this.#options.catalog.tail({
      message: (reply) => {
        if (current()) this.#received(reply);
      },
      ended: (error) => {
        if (current()) this.#lost(error?.message ?? "the stream ended");
        else if (this.#session === session) this.#goodbyeAnswered();
      },
    });
    this.#sent.set(0, momentOn(this.#options.clock));
    this.#after(helloTimeoutMs, () => this.#lost("no answer to the hello"));
    const {
      self: { address, dialect },
      ledger: { seen },
    } = this.#options;
    this.#stream.send({
      session,
      kind: "hello",
      acked: 0,
      sequence: 0,
      replaces,
      address,
      dialect,
      seen,
      leaseMs: this.#leaseMs,
      leaseLife: this.#life,
    });
  }

  /** Returns the lease, so that no change waits for it. Resolves when the catalog has answered, or after a timeout. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#options.cache.end();
    this.#standsAlone(false);
    if (!this.#stream) return;
    await new Promise<void>((resolve) => {
      this.#goodbyeAnswered = resolve;
      this.#after(goodbyeTimeoutMs, resolve);
      this.#send("goodbye");
    });
    this.#cancelTimer();
    this.#stream.close();
    this.#options.logger.debug({ session: this.#session }, "cache session ended");
  }

  #received({ sequence, head, life, leaseMs, changes, previousHead, alone, frontEnds }: TailReply): void {
    const { cache, ledger, logger } = this.#options;
    ledger.ends({ life, head });
    const sent = this.#sent.get(sequence);
    if (sent !== undefined) {
      this.#sent.delete(sequence);
      this.#frontEnds = frontEnds;
      if (this.#begun) cache.renew({ sent, leaseMs });
      else this.#begin({ sent, leaseMs }, { life, head });
    }
    // A repeated change was already processed.
    if (!this.#begun || sequence >= 0 || head <= this.#acked) return;
    // Acknowledging past a missed change would let the cache serve the older quantity.
    if (previousHead > this.#acked) return this.#lost(`the changes after ${this.#acked} are missing`);
    const nowMs = this.#options.clock.nowMs();
    const isLogged = logger.isLevelEnabled("debug");
    for (const stock of changes) {
      if (isLogged) this.#logChange(stock, alone);
      if (alone) cache.replace(stock, life, nowMs);
      else cache.changed(stock.name, stock.rev);
    }
    this.#acked = head;
    if (alone) this.#acknowledgeSoon(nowMs);
    else this.acknowledge();
    this.#standsAlone(alone);
  }

  #acknowledgeSoon(nowMs: number): void {
    const waitMs = this.#acknowledgedMs + acknowledgeEveryMs - nowMs;
    if (waitMs <= 0) return this.acknowledge();
    if (this.#acknowledgesSoon) return;
    this.#acknowledgesSoon = true;
    this.#options.clock.after(waitMs, () => {
      this.#acknowledgesSoon = false;
      this.acknowledge();
    });
  }

  #logChange({ name, rev }: Stock, alone: boolean): void {
    const { cache, logger } = this.#options;
    const what = cache.has(name) ? (alone ? "replaced" : "evicted") : "not cached";
    logger.debug({ name, rev, cached: what, session: this.#session }, "cache invalidation");
  }

  #standsAlone(alone: boolean): void {
    this.#alone = alone;
    if (alone) this.#settledId = this.#acked;
    invariant(this.#settledId <= this.#acked, "settled ≤ acked", this.#settledId, this.#acked);
    this.#waiters.reached(this.#settledId);
    if (!alone)
      this.#waiters.reject(new BazaarError("UNAVAILABLE", "only the catalog can find out whether this is settled"));
  }

  #begin(lease: Lease, { life, head }: Seen): void {
    this.#begun = true;
    this.#life = life;
    this.#acked = head;
    this.#toldAcked = head;
    this.#leaseMs = lease.leaseMs;
    this.#backoff.reset();
    this.#options.cache.begin(this.#session, lease);
    this.#options.logger.info({ head, leaseMs: lease.leaseMs, session: this.#session }, "cache session began");
    this.#cancelTimer();
    this.#cancelTimer = every(this.#options.clock, lease.leaseMs / renewalsPerLease, () => this.#renew());
  }

  #renew(): void {
    if (this.#sent.size >= renewalsPerLease) return this.#lost("no answer to the renewals");
    this.#sequence += 1;
    this.#sent.set(this.#sequence, momentOn(this.#options.clock));
    this.#send("renew");
  }

  #lost(why: string): void {
    const { logger } = this.#options;
    if (this.#begun) logger.warn({ session: this.#session }, `cache session lost: ${why}`);
    else logger.debug({ session: this.#session }, `no cache session: ${why}`);
    this.#begun = false;
    this.#options.cache.end();
    this.#standsAlone(false);
    this.#stream?.close();
    this.#stream = undefined;
    this.#after(this.#backoff.nextMs(), () => this.start());
  }

  #send(kind: TailRequest["kind"]): void {
    this.#toldAcked = this.#acked;
    this.#stream?.send({
      session: this.#session,
      kind,
      acked: this.#acked,
      sequence: this.#sequence,
      replaces: "",
      address: "",
      dialect: "",
      seen: undefined,
      leaseMs: 0,
      leaseLife: "",
    });
  }

  #after(delayMs: number, action: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(delayMs, action);
  }
}
