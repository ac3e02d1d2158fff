/**
 * One of several catalogs on the same ledger (R11): it is the active one while it has the ledger, and a standby otherwise. A
 * standby takes no hello and answers every call with NOT_ACTIVE.
 *
 * Each time in which it is active has a `Catalog` of its own. What that one knows of sessions and of the ledger is thrown
 * away at its end: meanwhile another catalog may have answered, granted leases and written. One that no caller reaches any
 * more ends, so that another catalog can take the ledger over.
 */

import type { TakeOver } from "@stock-bazaar/ledger/store";
import type {
  AcquireRequest,
  Applied,
  ApplyRequest,
  CatalogApi,
  Extended,
  LookedUp,
  RestockRequest,
  StocksPage,
  StocksRequest,
  Stream,
  StreamHandlers,
  TailReply,
  TailRequest,
} from "@stock-bazaar/shared/api";
import { pause } from "@stock-bazaar/shared/clock";
import type { Order, Register, Seen } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import { Callers } from "./callers.ts";
import { Catalog, type CatalogOptions } from "./catalog.ts";

/** Delay before the next try if the ledger could not be used after it was taken over. */
const retryMs = 100;
/** How long a catalog that gave the ledger up leaves it to others, which look for it ten times a second. */
const asideMs = 500;

export interface StandbyOptions extends Omit<CatalogOptions, "ledger" | "stopping"> {
  readonly takeOver: TakeOver;
  /** Receives at each change whether this catalog is the active one. */
  readonly changed: (isActive: boolean) => void;
  /** Receives an error after which this process must end. */
  readonly fatal: (error: unknown) => void;
}

export class StandbyCatalog implements CatalogApi {
  readonly #options: StandbyOptions;
  readonly #stopping = new AbortController();
  readonly #callers = new Callers();
  #active: Catalog | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  start(): void {
    const { logger, fatal } = this.#options;
    logger.info("standby: another catalog may be active");
    this.#running = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) fatal(error);
    });
  }

  apply(request: ApplyRequest): Promise<Applied> {
    return this.#ask((catalog) => catalog.apply(request));
  }

  restock(request: RestockRequest): Promise<Extended> {
    return this.#ask((catalog) => catalog.restock(request));
  }

  settle(upTo: number): Promise<void> {
    return this.#ask((catalog) => catalog.settle(upTo));
  }

  lookup(names: readonly string[], seen?: Seen): Promise<LookedUp> {
    return this.#ask((catalog) => catalog.lookup(names, seen));
  }

  stocks(request: StocksRequest, seen?: Seen): Promise<StocksPage> {
    return this.#ask((catalog) => catalog.stocks(request, seen));
  }

  ordersAfter(afterId: number, limit: number): Promise<Order[]> {
    return this.#ask((catalog) => catalog.ordersAfter(afterId, limit));
  }

  register(seen?: Seen, last?: Order): Promise<Register> {
    return this.#ask((catalog) => catalog.register(seen, last));
  }

  acquire(request: AcquireRequest): Promise<Register> {
    return this.#ask((catalog) => catalog.acquire(request));
  }

  tail(handlers: StreamHandlers<TailReply>): Stream<TailRequest> {
    if (!this.#active) {
      handlers.ended(notActive());
      return { send() {}, close() {} };
    }
    const stream = this.#active.tail(handlers);
    return {
      send: (request) => {
        this.#callers.arrived();
        stream.send(request);
      },
      close: () => stream.close(),
    };
  }

  endTails(): void {
    this.#active?.endTails();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) await this.#stand(signal);
  }

  /** Waits until this catalog is the active one, and for the end of that. */
  async #stand(signal: AbortSignal): Promise<void> {
    const { takeOver, changed, logger, clock } = this.#options;
    const over = Promise.withResolvers<void>();
    let end: { readonly reason: BazaarError | undefined } | undefined;
    const ends = (reason?: BazaarError) => {
      // What is left of a former stand may notice later that another epoch has begun, perhaps the next one of this process.
      if (end) return;
      end = { reason };
      if (this.#active) changed(false);
      this.#active = undefined;
      over.resolve();
    };
    const stopped = () => ends();
    let isUnreached = false;
    let endWatch = () => {};
    const stand = await takeOver(ends, signal);
    signal.addEventListener("abort", stopped);
    try {
      const catalog = await Catalog.start({ ...this.#options, ledger: stand.ledger, stopping: signal });
      if (signal.aborted) ends();
      if (!end) {
        this.#active = catalog;
        changed(true);
        logger.info("this catalog is the active one");
        endWatch = this.#callers.watch(clock, () => {
          isUnreached = true;
          ends(unreached());
        });
      }
      await over.promise;
      endWatch();
      await this.#end(catalog, end?.reason);
    } catch (error) {
      await stand.ledger.close();
      const { code, message } = BazaarError.from(error);
      if (!isRetryable(code)) throw error;
      logger.warn(`the ledger could not be used after its takeover: ${message}`);
      await pause(clock, retryMs);
    } finally {
      ends();
      signal.removeEventListener("abort", stopped);
      await stand.release();
    }
    if (isUnreached) await pause(clock, asideMs);
  }

  /** `reason`: why another catalog may be active; `undefined` if this process stops. */
  async #end(catalog: Catalog, reason: BazaarError | undefined): Promise<void> {
    if (reason === undefined) return catalog.stop();
    this.#options.logger.warn(`standby: this catalog is no longer the active one: ${reason.message}`);
    catalog.abandon(reason);
  }

  #ask<Result>(call: (catalog: Catalog) => Promise<Result>): Promise<Result> {
    return this.#active ? this.#callers.called(call(this.#active)) : Promise.reject(notActive());
  }
}

function unreached(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no caller has reached it, and may reach another catalog");
}

function notActive(): BazaarError {
  return new BazaarError("NOT_ACTIVE", "this catalog is a standby: another one is active");
}
