/**
 * The catalog: the ledger's decisions, and when they may be told. It passes each change on to the caches of
 * the front-ends as soon as it is durable, and answers lookups only with what is settled (R7): nobody can
 * read a quantity here that is older or newer than what a cache elsewhere would still say.
 */

import type {
  AcquireRequest,
  Applied,
  ApplyRequest,
  CatalogApi,
  Stream,
  StreamHandlers,
  TailReply,
  TailRequest,
} from "@stock-bazaar/shared/api";
import { type Clock, wallTime } from "@stock-bazaar/shared/clock";
import type { Order, Register, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/shared/log";
import { Waiters } from "@stock-bazaar/shared/waiters";
import { FrontEnds } from "./front-ends.ts";
import type { Ledger, LedgerChange } from "./ledger.ts";
import { OldRejections } from "./old-rejections.ts";
import { Sessions } from "./sessions.ts";

/** A batch larger than this is refused: a leader sends less, and one transaction stays short. */
const batchTradesMax = 10_000;
const ordersAfterMax = 10_000;
/** Calls that wait for settlement at once; past this the catalog is overloaded and says so. */
const waitersMax = 100_000;

export class Catalog implements CatalogApi {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #leaseMs: number;
  readonly #sessions: Sessions;
  readonly #frontEnds = new FrontEnds();
  readonly #oldRejections: OldRejections;
  readonly #tails = new Map<string, StreamHandlers<TailReply>>();
  readonly #waiters = new Waiters();
  /** The newest id whose change has been passed on to every open tail. */
  #head: number;
  /** The last write that was begun. */
  #writing: Promise<unknown> = Promise.resolve();
  #cancelExpiry: (() => void) | undefined;
  #stopped = false;

  private constructor(options: { ledger: Ledger; clock: Clock; logger: Logger; leaseMs: number }, head: number) {
    this.#ledger = options.ledger;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#leaseMs = options.leaseMs;
    this.#sessions = new Sessions({ leaseMs: options.leaseMs, startedMs: options.clock.nowMs() });
    this.#head = head;
    this.#oldRejections = new OldRejections(options);
    this.#oldRejections.start();
  }

  static async start(options: { ledger: Ledger; clock: Clock; logger: Logger; leaseMs: number }): Promise<Catalog> {
    const { term, leader, head } = await options.ledger.register();
    options.logger.info({ head, term, leader }, "catalog started");
    return new Catalog(options, head);
  }

  async apply({ term, trades }: ApplyRequest): Promise<Applied> {
    if (trades.length > batchTradesMax) {
      throw new BazaarError("INVALID_REQUEST", `${trades.length} trades in one batch: allowed are ${batchTradesMax}`);
    }
    // The ledger passes keys to SQLite as JSON, where a NUL ends the text.
    if (trades.some(({ key }) => key.includes("\0"))) {
      throw new BazaarError("INVALID_REQUEST", "a key with a NUL in it: allowed is any other character");
    }
    const change = await this.#write(() => this.#ledger.apply({ term, trades, createdAt: wallTime(this.#clock) }));
    if (this.#logger.isLevelEnabled("debug")) {
      for (const [index, { requestId, key }] of trades.entries()) {
        this.#logger.debug({ requestId, key, ...change.outcomes[index] }, "trade applied");
      }
    }
    return change;
  }

  async restock({ term, quantity }: { term: number; quantity: number }): Promise<Applied> {
    const change = await this.#write(() => this.#ledger.restock({ term, quantity, createdAt: wallTime(this.#clock) }));
    for (const { id, name } of change.orders) this.#logger.info({ name, quantity, order: id }, "restocked");
    return change;
  }

  async lookup(names: readonly string[]): Promise<(Stock | undefined)[]> {
    const stocks = await this.#settled(await this.#ledger.stocks(names));
    const byName = new Map(stocks.map((stock) => [stock.name, stock]));
    return names.map((name) => byName.get(name));
  }

  async stocks(): Promise<Stock[]> {
    return this.#settled(await this.#ledger.allStocks());
  }

  settle(upTo: number): Promise<void> {
    if (upTo <= this.#settledId()) return Promise.resolve();
    if (this.#stopped) return Promise.reject(stopping());
    if (this.#waiters.count >= waitersMax)
      return Promise.reject(new BazaarError("OVERLOADED", "too many calls wait for settlement"));
    const settled = this.#waiters.until(upTo);
    this.#watchExpiry();
    return settled;
  }

  async ordersAfter(afterId: number, limit: number): Promise<Order[]> {
    return this.#ledger.ordersAfter(afterId, Math.min(limit, ordersAfterMax));
  }

  async register(): Promise<Register> {
    return this.#ledger.register();
  }

  async acquire(request: AcquireRequest): Promise<Register> {
    try {
      const register = await this.#ledger.acquire(request);
      this.#logger.info({ leader: register.leader, term: register.term, head: register.head }, "lead acquired");
      return register;
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      this.#logger.warn(
        { replica: request.replica, term: request.term, lastId: request.lastId, code },
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
        head: this.#head,
        leaseMs: this.#leaseMs,
        changes: [],
        previousHead: this.#head,
        alone: false,
        frontEnds: this.#frontEnds.list((id) => this.#sessions.runs(id, this.#clock.nowMs()), this.#clock.nowMs()),
      });
    const end = () => {
      close();
      handlers.ended(sessionOver());
    };
    return {
      send: (request) => {
        const nowMs = this.#clock.nowMs();
        switch (request.kind) {
          case "hello":
            // Said again when the session is over already, it must not begin anew: the changes in between are lost to it.
            if (session !== undefined && (session !== request.session || !this.#sessions.has(session))) return end();
            session = request.session;
            this.#sessions.hello(session, this.#head, nowMs, request.replaces);
            this.#frontEnds.hello(request.address, session, nowMs);
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
      },
      // The front-end may live on and serve from its cache: the session stays until its lease has run out.
      close,
    };
  }

  /** Ends the streams that would stay open for ever. Their sessions live on until their leases run out. */
  endTails(): void {
    for (const handlers of this.#tails.values()) handlers.ended(stopping());
    this.#tails.clear();
  }

  /** Refuses what still waits; the ledger is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#oldRejections.stop();
    this.#cancelExpiry?.();
    this.#waiters.reject(stopping());
    this.endTails();
    await this.#ledger.close();
  }

  /** Waits until what was read may be told. */
  async #settled(stocks: Stock[]): Promise<Stock[]> {
    await this.settle(stocks.reduce((rev, stock) => Math.max(rev, stock.rev), 0));
    return stocks;
  }

  /** One write at a time: changes must be passed on in the order of their ids, or an acknowledgement would lie. */
  #write(write: () => Promise<LedgerChange>): Promise<LedgerChange> {
    const written = this.#writing.then(write).then((change) => {
      this.#passOn(change);
      return change;
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  #passOn(change: LedgerChange): void {
    if (change.head <= this.#head) return;
    const previousHead = this.#head;
    this.#head = change.head;
    const nowMs = this.#clock.nowMs();
    this.#sessions.expire(nowMs);
    const news = {
      sequence: -1,
      head: change.head,
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
    return this.#sessions.settled(this.#head, this.#clock.nowMs());
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
