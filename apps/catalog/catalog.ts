/**
 * The catalog: applies trades to the ledger and controls when a change becomes visible. It sends each change to the
 * caches of the front-ends as soon as the change is durable, and answers lookups only with settled values (R7). So a
 * lookup and a cache never return different quantities at the same time.
 */

import {
  type AcquireRequest,
  type Applied,
  type ApplyRequest,
  type CatalogApi,
  type Extended,
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
import { OrderBatch } from "@stock-bazaar/shared/batches";
import { type Clock, wallTime } from "@stock-bazaar/shared/clock";
import type { Order, Register, Seen, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { invariant } from "@stock-bazaar/shared/invariant";
import type { Logger } from "@stock-bazaar/process/log";
import { untilCheckpointed } from "@stock-bazaar/process/until-checkpointed";
import type { Ledger, LedgerChange } from "@stock-bazaar/ledger/ledger";
import { readCalls } from "./calls.ts";
import { OldRejections } from "./old-rejections.ts";
import { RegisteredLease } from "./registered-lease.ts";
import { Sessions } from "./sessions.ts";
import { Settlement } from "./settlement.ts";
import { Tails } from "./tails.ts";
import { WholeLedger } from "./whole-ledger.ts";
import { WriteAccess } from "./write-access.ts";

export interface CatalogOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a front-end may serve from its cache without asking. */
  readonly leaseMs: number;
  /** Minimum time for which a rejection is kept (R3). Default: a day. */
  readonly rejectionsKeptMs?: number;
  /** Aborts a start that is still waiting. */
  readonly stopping?: AbortSignal;
}

export class Catalog implements CatalogApi {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #whole: WholeLedger;
  readonly #writeAccess: WriteAccess;
  readonly #registeredLease: RegisteredLease;
  readonly #settlement: Settlement;
  readonly #tails: Tails;
  readonly #oldRejections: OldRejections;
  /** The ledger's register. The change of its head has been sent on every open tail. */
  #register: Register;
  /** The last write in the queue of writes. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(options: CatalogOptions, register: Register, leases: { foundMs: number; registeredMs: number }) {
    const { ledger, clock, logger, leaseMs } = options;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#logger = logger;
    this.#register = register;
    const { foundMs: foundLeaseMs, registeredMs } = leases;
    const sessions = new Sessions({ leaseMs, foundLeaseMs, startedMs: clock.nowMs() });
    this.#whole = new WholeLedger({
      ledger,
      logger,
      known: () => this.#register,
      lost: (refusal) => {
        this.#settlement.reject(refusal);
        this.#tails.endAll(refusal);
      },
    });
    this.#writeAccess = new WriteAccess({ clock, logger, tryWrite: () => ledger.tryWrite() });
    this.#registeredLease = new RegisteredLease({
      clock,
      logger,
      sessions,
      leaseMs,
      registeredMs,
      write: (named) => this.#writeAccess.observe(ledger.setLeases(named)),
    });
    this.#settlement = new Settlement({ clock, sessions, head: () => this.#register.head });
    this.#tails = new Tails({
      clock,
      leaseMs,
      sessions,
      settlement: this.#settlement,
      registeredLease: this.#registeredLease,
      whole: this.#whole,
      register: () => this.#register,
      prove: ledger.prove && (() => this.#prove()),
    });
    this.#oldRejections = new OldRejections(options);
    this.#oldRejections.start();
  }

  /**
   * Resolves when the catalog may serve: the ledger is durable, and the register names the longest lease that a
   * front-end may hold, granted by this catalog or an earlier one (R9).
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

  async apply({ term, last, calls }: ApplyRequest): Promise<Applied> {
    const { trades, mayBeKnown, answersOf } = readCalls(calls);
    const createdAt = wallTime(this.#clock);
    const change = await this.#whole.refusingIfLost(last, () =>
      this.#write(() => this.#ledger.apply({ term, last, trades, mayBeKnown, createdAt })),
    );
    if (this.#logger.isLevelEnabled("debug")) {
      for (const [index, { requestId, key }] of trades.entries()) {
        this.#logger.debug({ requestId, key, ...change.outcomes[index] }, "trade applied");
      }
    }
    return { answers: answersOf(change.outcomes), orders: new OrderBatch(change.orders), head: change.head };
  }

  async restock({ term, last, quantity, after }: RestockRequest): Promise<Extended> {
    const limit = restockPageMax;
    if (quantity < 1)
      throw new BazaarError("INVALID_REQUEST", `a restock must be of at least 1 unit (got ${quantity})`);
    const { orders, head } = await this.#whole.refusingIfLost(last, () =>
      this.#write(() => this.#ledger.restock({ term, last, quantity, after, limit, createdAt: wallTime(this.#clock) })),
    );
    for (const { id, name } of orders) this.#logger.info({ name, quantity, order: id }, "restocked");
    return { orders: new OrderBatch(orders), head };
  }

  async lookup(names: readonly string[], seen?: Seen): Promise<LookedUp> {
    await this.#whole.require(seen);
    const stocks = await this.#proven(async () => this.#settled(await this.#ledger.stocks(names)));
    const byName = new Map(stocks.map((stock) => [stock.name, stock]));
    return { stocks: names.map((name) => byName.get(name)), life: this.#register.life };
  }

  async stocks({ start, inclusive, limit }: StocksRequest, seen?: Seen): Promise<StocksPage> {
    await this.#whole.require(seen);
    const length = Math.min(limit, stocksPageMax);
    // One stock more than the page holds shows whether there is a next page.
    const page = { start, inclusive, limit: length + 1 };
    const stocks = await this.#proven(async () => this.#settled(await this.#ledger.stocksFrom(page)));
    return { stocks: stocks.slice(0, length), life: this.#register.life, more: stocks.length > length };
  }

  settle(upTo: number): Promise<void> {
    if (this.#whole.refusal) return Promise.reject(this.#whole.refusal);
    return this.#settlement.until(upTo);
  }

  async ordersAfter(afterId: number, limit: number): Promise<Order[]> {
    await this.#whole.require();
    return this.#proven(() => this.#ledger.ordersAfter(afterId, Math.min(limit, ordersPageMax)));
  }

  async register(seen?: Seen, last?: Order): Promise<Register> {
    await this.#whole.require(seen);
    const { obstacle } = this.#writeAccess;
    const register = await this.#ledger.register();
    this.#whole.requireOrder(register, last);
    return obstacle === undefined ? register : { ...register, obstacle };
  }

  async acquire(request: AcquireRequest): Promise<Register> {
    try {
      const register = await this.#whole.refusingIfLost(request.last, () =>
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
    return this.#tails.open(handlers);
  }

  /** Ends the tails, which would stay open for ever. Their sessions last until their leases expire. */
  endTails(): void {
    this.#tails.endAll(stopping());
  }

  /** Rejects the calls that still wait, and closes the ledger. */
  async stop(): Promise<void> {
    this.#rejectAll(stopping());
    await this.#writing;
    if (!this.#whole.refusal) await this.#registeredLease.end();
    await this.#ledger.close();
  }

  /** Ends at once, because another process has the ledger: rejects the calls that still wait, and records nothing. */
  abandon(reason: BazaarError): void {
    this.#rejectAll(reason);
    this.#ledger.close().catch(() => {});
  }

  #rejectAll(reason: BazaarError): void {
    this.#oldRejections.stop();
    this.#writeAccess.stop();
    this.#registeredLease.stop();
    this.#settlement.stop(reason);
    this.#tails.stop(reason);
  }

  /**
   * Runs a read of this moment, and returns its result if this catalog was the active one after the read was asked for (R11).
   */
  async #proven<Result>(read: () => Promise<Result>): Promise<Result> {
    if (!this.#ledger.prove) return read();
    const [result] = await Promise.all([read(), this.#prove()]);
    return result;
  }

  async #prove(): Promise<void> {
    await this.#ledger.prove?.();
  }

  /** Returns the stocks once their last changes are settled. */
  async #settled(stocks: Stock[]): Promise<Stock[]> {
    await this.settle(stocks.reduce((rev, stock) => Math.max(rev, stock.rev), 0));
    return stocks;
  }

  /**
   * Runs one write at a time: changes must be sent in the order of their ids, as an acknowledgement covers all lower
   * ids.
   */
  #write(write: () => Promise<LedgerChange>): Promise<LedgerChange> {
    const begin = () => {
      // While this write waited for its turn, the catalog may have learned that the ledger was longer before.
      if (this.#whole.refusal) throw this.#whole.refusal;
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
    const previousHead = this.#register.head;
    const newHead = previousHead + change.orders.length;
    invariant(change.head === newHead, "each change is sent once, and none is left out", change.head, newHead);
    if (change.head === previousHead) return;
    this.#register = { ...this.#register, head: change.head };
    this.#tails.passOn(change, previousHead);
  }
}

function stopping(): BazaarError {
  return new BazaarError("UNAVAILABLE", "the catalog is stopping");
}
