/**
 * The catalog: the ledger's decisions, and when they may be told. It passes each change on to the caches of
 * the front-ends as soon as it is durable, and answers lookups only with what is settled (R7): nobody can
 * read a quantity here that is older or newer than what a cache elsewhere would still say.
 */

import {
  type AcquireRequest,
  type Applied,
  type ApplyRequest,
  type CatalogApi,
  type LookedUp,
  ordersPageMax,
  restockPageMax,
  type RestockRequest,
  type StocksPage,
  stocksPageMax,
  type StocksRequest,
  type Stream,
  type StreamHandlers,
  type TailReply,
  type TailRequest,
} from "@stock-bazaar/shared/api";
import { type Clock, wallTime } from "@stock-bazaar/shared/clock";
import { cacheLeaseMaxMs } from "@stock-bazaar/process/config";
import type { Order, Register, Seen, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { untilCheckpointed } from "@stock-bazaar/process/until-checkpointed";
import { Waiters } from "@stock-bazaar/shared/waiters";
import { FrontEnds } from "./front-ends.ts";
import type { Ledger, LedgerChange, LedgerRegister } from "@stock-bazaar/ledger/ledger";
import { advice } from "@stock-bazaar/process/advice";
import { endsBefore, isShorterThanSeen } from "./lost-end.ts";
import { OldRejections } from "./old-rejections.ts";
import { Sessions } from "./sessions.ts";
import { WriteAccess } from "./write-access.ts";

/** A batch larger than this is refused: a leader sends less, one transaction stays short, and its orders fit into a message. */
const batchTradesMax = 10_000;
/** How the ledger refuses a replica that knows of other orders, or of another term. An old copy is behind in both. */
const otherHistory: ReadonlySet<ErrorCode> = new Set(["DIVERGED", "FENCED", "STALE_TERM"]);
/** Calls that wait for settlement at once; past this the catalog is overloaded and says so. */
const waitersMax = 100_000;

export interface CatalogOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a front-end may serve from its cache without asking. */
  readonly leaseMs: number;
  /** How long a rejection is kept at least (R3); absent: a day. */
  readonly rejectionsKeptMs?: number;
  /** Ends a start that waits. */
  readonly stopping?: AbortSignal;
}

export class Catalog implements CatalogApi {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leaseMs: number;
  readonly #sessions: Sessions;
  readonly #frontEnds = new FrontEnds();
  readonly #oldRejections: OldRejections;
  readonly #writeAccess: WriteAccess;
  readonly #tails = new Map<string, StreamHandlers<TailReply>>();
  readonly #waiters = new Waiters();
  /** As in the ledger; the head's change has been passed on to every open tail. */
  #register: Register;
  /** The longest lease that the register names. */
  #registeredLeaseMs: number;
  /** Why everything is refused: the ledger was longer once (R2). */
  #refusal: BazaarError | undefined;
  /** The last write that was begun. */
  #writing: Promise<unknown> = Promise.resolve();
  #cancelExpiry: (() => void) | undefined;
  #cancelShortening: (() => void) | undefined;
  #stopped = false;

  private constructor(options: CatalogOptions, register: Register, leases: { foundMs: number; registeredMs: number }) {
    const { ledger, clock, logger, leaseMs } = options;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#logger = logger;
    this.#leaseMs = leaseMs;
    this.#sessions = new Sessions({ leaseMs, foundLeaseMs: leases.foundMs, startedMs: clock.nowMs() });
    this.#register = register;
    this.#registeredLeaseMs = leases.registeredMs;
    this.#writeAccess = new WriteAccess({
      clock,
      logger,
      tryWrite: () => ledger.tryWrite(),
    });
    this.#shortenLease();
    this.#oldRejections = new OldRejections(options);
    this.#oldRejections.start();
  }

  /**
   * Resolves when the ledger may be served: it is durable, and the register says how long front-ends may serve from their
   * caches, those of an earlier catalog too (R9).
   */
  static async start(options: CatalogOptions): Promise<Catalog> {
    const { ledger, logger, leaseMs } = options;
    await untilCheckpointed(() => ledger.checkpoint(), options);
    const found = await ledger.leases();
    const foundMs = found.endedCleanly ? 0 : Math.max(found.leaseMs, leaseMs);
    const registeredMs = Math.max(foundMs, leaseMs);
    if (found.endedCleanly || found.leaseMs !== registeredMs) {
      await ledger.setLeases({ leaseMs: registeredMs, endedCleanly: false });
    }
    const register = await ledger.register();
    const { term, leader, head } = register;
    logger.info({ head, term, leader }, "catalog started");
    return new Catalog(options, register, { foundMs, registeredMs });
  }

  async apply({ term, last, trades }: ApplyRequest): Promise<Applied> {
    if (trades.length > batchTradesMax) {
      throw new BazaarError("INVALID_REQUEST", `${trades.length} trades in one batch: allowed are ${batchTradesMax}`);
    }
    // The ledger passes keys to SQLite as JSON, where a NUL ends the text.
    if (trades.some(({ key }) => key.includes("\0"))) {
      throw new BazaarError("INVALID_REQUEST", "a key with a NUL in it: allowed is any other character");
    }
    const change = await this.#refusingIfLost(last, () =>
      this.#write(() => this.#ledger.apply({ term, last, trades, createdAt: wallTime(this.#clock) })),
    );
    if (this.#logger.isLevelEnabled("debug")) {
      for (const [index, { requestId, key }] of trades.entries()) {
        this.#logger.debug({ requestId, key, ...change.outcomes[index] }, "trade applied");
      }
    }
    return change;
  }

  async restock({ term, last, quantity, after }: RestockRequest): Promise<Applied> {
    const limit = restockPageMax;
    const change = await this.#refusingIfLost(last, () =>
      this.#write(() => this.#ledger.restock({ term, last, quantity, after, limit, createdAt: wallTime(this.#clock) })),
    );
    for (const { id, name } of change.orders) this.#logger.info({ name, quantity, order: id }, "restocked");
    return change;
  }

  async lookup(names: readonly string[], seen?: Seen): Promise<LookedUp> {
    await this.#requireWhole(seen);
    const stocks = await this.#settled(await this.#ledger.stocks(names));
    const byName = new Map(stocks.map((stock) => [stock.name, stock]));
    return { stocks: names.map((name) => byName.get(name)), life: this.#register.life };
  }

  async stocks({ start, inclusive, limit }: StocksRequest, seen?: Seen): Promise<StocksPage> {
    await this.#requireWhole(seen);
    const length = Math.min(limit, stocksPageMax);
    // One more than the page holds, to know whether there is a next one.
    const stocks = await this.#settled(await this.#ledger.stocksFrom({ start, inclusive, limit: length + 1 }));
    return { stocks: stocks.slice(0, length), life: this.#register.life, more: stocks.length > length };
  }

  settle(upTo: number): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (upTo <= this.#settledId()) return Promise.resolve();
    if (this.#stopped) return Promise.reject(stopping());
    if (this.#waiters.count >= waitersMax)
      return Promise.reject(new BazaarError("OVERLOADED", "too many calls wait for settlement"));
    const settled = this.#waiters.until(upTo);
    this.#watchExpiry();
    return settled;
  }

  async ordersAfter(afterId: number, limit: number): Promise<Order[]> {
    await this.#requireWhole();
    return this.#ledger.ordersAfter(afterId, Math.min(limit, ordersPageMax));
  }

  async register(seen?: Seen, last?: Order): Promise<Register> {
    await this.#requireWhole(seen);
    const { obstacle } = this.#writeAccess;
    const register = await this.#ledger.register();
    this.#requireOrder(register, last);
    return obstacle === undefined ? register : { ...register, obstacle };
  }

  async acquire(request: AcquireRequest): Promise<Register> {
    try {
      const register = await this.#refusingIfLost(request.last, () =>
        this.#writeAccess.observe(this.#ledger.acquire(request)),
      );
      if (register.term > this.#register.term) this.#register = { ...register, head: this.#register.head };
      this.#logger.info({ leader: register.leader, term: register.term, head: register.head }, "lead acquired");
      return register;
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      this.#logger.warn(
        { replica: request.replica, term: request.term, lastId: request.last?.id ?? 0, code },
        `lead refused: ${message}`,
      );
      throw error;
    }
  }

  tail(handlers: StreamHandlers<TailReply>): Stream<TailRequest> {
    let session: string | undefined;
    const close = () => {
      if (session !== undefined && this.#tails.get(session) === handlers) this.#tails.delete(session);
    };
    const reply = (sequence: number) =>
      handlers.message({
        sequence,
        head: this.#register.head,
        life: this.#register.life,
        leaseMs: this.#leaseMs,
        changes: [],
        previousHead: this.#register.head,
        alone: false,
        frontEnds: this.#frontEnds.list((id) => this.#sessions.runs(id, this.#clock.nowMs()), this.#clock.nowMs()),
      });
    const end = (error = this.#refusal ?? sessionOver()) => {
      close();
      handlers.ended(error);
    };
    const take = (request: TailRequest) => {
      const nowMs = this.#clock.nowMs();
      switch (request.kind) {
        case "hello":
          // Said again when the session is over already, it must not begin anew: the changes in between are lost to it.
          if (session !== undefined && (session !== request.session || !this.#sessions.has(session))) return end();
          if (this.#stopped) return end(stopping());
          session = request.session;
          this.#foundLease(request);
          this.#sessions.hello(session, this.#register.head, nowMs, request.replaces);
          this.#frontEnds.hello(request.address, request.dialect, session, nowMs);
          this.#tails.set(session, handlers);
          reply(request.sequence);
          break;
        case "renew":
          if (!this.#sessions.renew(request.session, request.acked, nowMs)) return end();
          reply(request.sequence);
          break;
        case "ack":
          if (!this.#sessions.renew(request.session, request.acked, nowMs)) return end();
          break;
        case "goodbye":
          this.#sessions.goodbye(request.session);
          this.#frontEnds.goodbye(request.session);
          close();
          handlers.ended();
          break;
      }
      this.#answerSettled();
    };
    return {
      send: (request) => {
        if (this.#refusal) return end();
        // Nobody may begin to serve before it is known that the ledger is whole.
        if (request.kind === "hello" && request.seen && isShorterThanSeen(this.#register, request.seen)) {
          void this.#requireWhole(request.seen).then(() => take(request), end);
        } else take(request);
      },
      // The front-end may live on and serve from its cache: the session stays until its lease has run out.
      close,
    };
  }

  /** Ends the streams that would stay open for ever. Their sessions live on until their leases run out. */
  endTails(): void {
    this.#endTails(stopping());
  }

  /** Refuses what still waits; the ledger is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#oldRejections.stop();
    this.#writeAccess.stop();
    this.#cancelExpiry?.();
    this.#cancelShortening?.();
    this.#waiters.reject(stopping());
    this.endTails();
    await this.#writing;
    if (!this.#refusal && this.#sessions.noneRuns(this.#clock.nowMs()))
      await this.#setLeases(this.#registeredLeaseMs, true);
    await this.#ledger.close();
  }

  /** Rejects with DIVERGED if the ledger was longer once, until a person has decided (R2). */
  async #requireWhole(seen?: Seen): Promise<void> {
    if (this.#refusal) throw this.#refusal;
    if (seen === undefined || !isShorterThanSeen(this.#register, seen)) return;
    // An order may be in the ledger, and read from there, a moment before it is passed on here.
    const register = await this.#ledger.register();
    if (isShorterThanSeen(register, seen)) throw this.#refuseEverything(register, `had order ${seen.head} once`);
  }

  /** Rejects like `#requireWhole`: a replica's last order is what it has seen. */
  #requireOrder(register: LedgerRegister, last: Order | undefined): void {
    if (last === undefined || !endsBefore(register, last)) return;
    throw this.#refuseEverything(register, `a replica has order ${last.id} of term ${last.term}`);
  }

  /** What a replica asks whose last order is `last`. A refusal may mean that the ledger has lost that order. */
  async #refusingIfLost<Result>(last: Order | undefined, ask: () => Promise<Result>): Promise<Result> {
    await this.#requireWhole();
    try {
      return await ask();
    } catch (error) {
      if (otherHistory.has(BazaarError.from(error).code)) this.#requireOrder(await this.#ledger.register(), last);
      throw error;
    }
  }

  /** To answer would give the numbers of acknowledged orders to others, and tell quantities from before. */
  #refuseEverything({ head, term }: Register, evidence: string): BazaarError {
    if (this.#refusal) return this.#refusal;
    const refusal = new BazaarError(
      "DIVERGED",
      `the ledger ends at order ${head} in term ${term}, but ${evidence}: is catalog.db an old copy? ${advice.putBackCatalog}`,
    );
    this.#refusal = refusal;
    this.#logger.error({ head, term }, refusal.message);
    this.#waiters.reject(refusal);
    this.#endTails(refusal);
    return refusal;
  }

  #endTails(error: BazaarError): void {
    for (const handlers of this.#tails.values()) handlers.ended(error);
    this.#tails.clear();
  }

  /** A rebuilt catalog's register may name no lease: front-ends know what the catalog of another life gave them. */
  #foundLease({ leaseMs: reportedMs, leaseLife }: TailRequest): void {
    if (leaseLife === this.#register.life) return;
    const leaseMs = Math.min(reportedMs, cacheLeaseMaxMs);
    this.#sessions.foundLease(leaseMs);
    const runs = this.#clock.nowMs() < this.#sessions.quietUntilMs;
    if (!runs || leaseMs <= this.#registeredLeaseMs) return;
    void this.#setLeases(leaseMs, false).then(() => this.#shortenLease());
  }

  /** The register may name a shorter lease only when no front-end can hold a longer one any more. */
  #shortenLease(): void {
    this.#cancelShortening?.();
    this.#cancelShortening = undefined;
    if (this.#stopped || this.#registeredLeaseMs <= this.#leaseMs) return;
    const waitMs = this.#sessions.quietUntilMs - this.#clock.nowMs();
    if (waitMs <= 0) return void this.#setLeases(this.#leaseMs, false);
    this.#cancelShortening = this.#clock.after(Math.ceil(waitMs), () => this.#shortenLease());
  }

  /**
   * Where it fails, the register still names another lease. A longer one makes the next start wait longer; a shorter one is
   * all that a catalog which was rebuilt without knowing better could name, and the next hello names the longer one again.
   */
  async #setLeases(leaseMs: number, endedCleanly: boolean): Promise<void> {
    try {
      await this.#writeAccess.observe(this.#ledger.setLeases({ leaseMs, endedCleanly }));
      this.#registeredLeaseMs = leaseMs;
    } catch (error) {
      this.#logger.warn({ leaseMs }, `the register still names another lease: ${BazaarError.from(error).message}`);
    }
  }

  /** Waits until what was read may be told. */
  async #settled(stocks: Stock[]): Promise<Stock[]> {
    await this.settle(stocks.reduce((rev, stock) => Math.max(rev, stock.rev), 0));
    return stocks;
  }

  /** One write at a time: changes must be passed on in the order of their ids, or an acknowledgement would lie. */
  #write(write: () => Promise<LedgerChange>): Promise<LedgerChange> {
    const begin = () => {
      // Since this write was asked for, it may have become known that the ledger was longer once.
      if (this.#refusal) throw this.#refusal;
      return this.#writeAccess.observe(write());
    };
    const written = this.#writing.then(begin).then((change) => {
      this.#passOn(change);
      return change;
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  #passOn(change: LedgerChange): void {
    if (change.head <= this.#register.head) return;
    const previousHead = this.#register.head;
    this.#register = { ...this.#register, head: change.head };
    const nowMs = this.#clock.nowMs();
    this.#sessions.expire(nowMs);
    const news = {
      sequence: -1,
      head: change.head,
      life: this.#register.life,
      leaseMs: this.#leaseMs,
      changes: change.stocks,
      previousHead,
      frontEnds: [],
    };
    for (const [session, handlers] of this.#tails) {
      if (this.#sessions.has(session)) {
        handlers.message({ ...news, alone: this.#sessions.alone(session, nowMs) });
      } else {
        // Its lease has run out: news for a front-end that doesn't read them would only fill memory.
        this.#tails.delete(session);
        handlers.ended(sessionOver());
      }
    }
    this.#answerSettled();
  }

  #settledId(): number {
    return this.#sessions.settled(this.#register.head, this.#clock.nowMs());
  }

  #answerSettled(): void {
    if (this.#waiters.count === 0) return;
    this.#waiters.reached(this.#settledId());
    this.#watchExpiry();
  }

  /** While somebody waits, looks again when a lease runs out: a front-end that died acknowledges nothing. */
  #watchExpiry(): void {
    if (this.#waiters.count === 0 || this.#cancelExpiry) return;
    const nowMs = this.#clock.nowMs();
    const expiryMs = this.#sessions.nextExpiryMs(nowMs);
    if (expiryMs === undefined) return;
    this.#cancelExpiry = this.#clock.after(Math.max(1, Math.ceil(expiryMs - nowMs)), () => {
      this.#cancelExpiry = undefined;
      this.#answerSettled();
    });
  }
}

function sessionOver(): BazaarError {
  return new BazaarError("UNAVAILABLE", "the session is over: begin a new one");
}

function stopping(): BazaarError {
  return new BazaarError("UNAVAILABLE", "the catalog is stopping");
}
