/** The bazaar behind the HTTP routes: combines cache, catalog, leader choice and trades. */

import type { CacheUse } from "@stock-bazaar/contract/replies";
import type {
  CatalogApi,
  CatalogState,
  FrontEndState,
  OrderApi,
  StocksPage,
  StocksRequest,
} from "@stock-bazaar/shared/api";
import { type Clock, Deadlines, momentOn, withDeadline } from "@stock-bazaar/shared/clock";
import { addressText } from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import type { Order, Outcome, Stock, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable, OtherVersionError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { Batcher } from "./batcher.ts";
import type { Bazaar, ClusterState, KnownStock, StockLookup } from "./bazaar.ts";
import { LeaderChoice } from "./leader-choice.ts";
import { Replicas } from "./replicas.ts";
import { SeenLedger } from "./seen-ledger.ts";
import { StockCache } from "./stock-cache.ts";
import { Tail } from "./tail.ts";
import { Trades } from "./trades.ts";

/** Maximum of names in one lookup, of lookups in flight, and of names that wait. */
const lookupNamesMax = 500;
const lookupCallsMax = 8;
const lookupQueueMax = 10_000;
/** Delay between two attempts of a read. */
const retryMs = 25;
/** How long `/cluster` and `/readyz` wait for the catalog. */
const clusterTimeoutMs = 500;

export interface LiveBazaarOptions {
  readonly catalog: CatalogApi & { readonly states?: () => Promise<CatalogState[]> };
  readonly replicas: ReadonlyMap<number, OrderApi>;
  readonly config: Pick<Config, "cacheSize" | "cacheTtlMs" | "frontEnd" | "frontEndDialect" | "requestTimeoutMs">;
  readonly clock: Clock;
  readonly random: () => number;
  /** An id that was never used before. */
  readonly newId: () => string;
  readonly logger: Logger;
}

export class LiveBazaar implements Bazaar {
  readonly #options: LiveBazaarOptions;
  readonly #self: FrontEndState;
  readonly #ledger = new SeenLedger();
  readonly #cache: StockCache;
  readonly #tail: Tail | undefined;
  readonly #replicas: Replicas;
  readonly #choice: LeaderChoice;
  readonly #trades: Trades;
  readonly #lookups: Batcher<string, KnownStock | undefined>;
  readonly #deadlines: Deadlines;
  #stopped = false;

  constructor(options: LiveBazaarOptions) {
    const { replicas, config, clock } = options;
    this.#options = options;
    const address = addressText(config.frontEnd);
    this.#self = { address, live: true, dialect: config.frontEndDialect };
    this.#cache = new StockCache({ capacity: config.cacheSize, ttlMs: config.cacheTtlMs });
    // Without a cache no change has to wait for this front-end, so it needs no session.
    this.#tail = this.#cache.enabled
      ? new Tail({
          ...options,
          self: this.#self,
          cache: this.#cache,
          ledger: this.#ledger,
          newSession: options.newId,
        })
      : undefined;
    this.#replicas = new Replicas({
      ...options,
      apis: replicas,
      changed: (id, status) => this.#choice.statusChanged(id, status),
    });
    this.#choice = new LeaderChoice({ ...options, replicas: this.#replicas, ledger: this.#ledger });
    this.#deadlines = new Deadlines(clock, config.requestTimeoutMs, noAnswer);
    this.#trades = new Trades({
      choice: this.#choice,
      settlement: this.#tail,
      ledger: this.#ledger,
      clock,
      requestTimeoutMs: config.requestTimeoutMs,
    });
    this.#lookups = new Batcher({
      clock,
      itemsMax: lookupNamesMax,
      callsMax: lookupCallsMax,
      queueMax: lookupQueueMax,
      send: (names) => this.#lookUp(names),
    });
  }

  start(): void {
    this.#tail?.start();
    this.#replicas.start();
    this.#choice.start();
  }

  /** To be called when no request is in flight any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#trades.stop();
    this.#choice.stop();
    this.#replicas.stop();
    await this.#tail?.stop();
  }

  lookup(name: string): StockLookup | Promise<StockLookup> {
    if (!this.#cache.enabled) return this.#askCatalog(name, "bypass");
    const now = momentOn(this.#options.clock);
    const stock = this.#cache.get(name, now);
    if (stock) return { stock, cache: "hit" };
    return this.#askCatalog(name, this.#cache.leased(now) ? "miss" : "bypass");
  }

  lookupCached(name: string): KnownStock | undefined {
    return this.#cache.getAsked(name, momentOn(this.#options.clock));
  }

  peekCached(name: string): KnownStock | undefined {
    return this.#cache.peek(name, momentOn(this.#options.clock));
  }

  dropCached(name: string): void {
    this.#cache.drop(name);
    this.#options.logger.debug({ name }, "dropped from the cache by a request");
  }

  stocks(request: StocksRequest): Promise<StocksPage> {
    return this.#retried(() => {
      this.#tail?.acknowledge();
      return this.#options.catalog.stocks(request, this.#ledger.seen);
    });
  }

  stocksNamed(names: readonly string[]): Promise<Stock[]> {
    return this.#retried(async () => {
      this.#tail?.acknowledge();
      const { stocks } = await this.#options.catalog.lookup(names, this.#ledger.seen);
      return stocks.filter((stock) => stock !== undefined);
    });
  }

  trade(trade: Trade, minted: boolean): Promise<Outcome> {
    const placed = this.#trades.place(trade, minted);
    return this.#options.logger.isLevelEnabled("debug") ? this.#logged(trade, placed) : placed;
  }

  async #logged({ requestId, key }: Trade, placed: Promise<Outcome>): Promise<Outcome> {
    const outcome = await placed;
    this.#options.logger.debug({ requestId, key, ...outcome }, "trade answered");
    return outcome;
  }

  /** Any replica can answer (R6); the leader is the most likely to hold the order. */
  order(id: number): Promise<Order | undefined> {
    return this.#retried(async () => {
      const replica = this.#choice.leader ?? this.#replicas.live[0];
      if (!replica) throw noReplica();
      return replica.api.order(id, replica.gone);
    });
  }

  orders(request: { before: number; limit: number }): Promise<Order[]> {
    return this.#retried(async () => {
      const { leader } = this.#choice;
      if (!leader) throw noReplica();
      return leader.api.orders(request, leader.gone);
    });
  }

  async cluster(): Promise<ClusterState> {
    const { catalog, clock } = this.#options;
    const catalogs = catalog.states?.();
    let state: ClusterState["catalog"];
    let { otherVersion } = this.#replicas;
    try {
      const asked = catalog.register(this.#ledger.seen);
      const register = await withDeadline(clock, clusterTimeoutMs, asked, noAnswer);
      this.#ledger.ends(register);
      const { head, stocks, obstacle } = register;
      state =
        obstacle === undefined
          ? { state: "live", head, stocks }
          : { state: "read-only", head, stocks, problem: obstacle };
    } catch (error) {
      otherVersion ||= error instanceof OtherVersionError;
      const { code, message } = BazaarError.from(error);
      state = { state: code === "DIVERGED" ? "refusing" : "away", head: undefined };
      // It has told why it can't start.
      if (code === "STORAGE_UNAVAILABLE") state = { ...state, problem: message };
    }
    return {
      leader: this.#choice.leader?.id ?? 0,
      term: this.#choice.term,
      replicas: this.#replicas.states,
      catalog: state,
      catalogs: await catalogs,
      otherVersion,
      cache: this.#cache.state(momentOn(clock)),
      frontEnds: [this.#self, ...(this.#tail?.others ?? [])],
    };
  }

  async #askCatalog(name: string, cache: CacheUse): Promise<StockLookup> {
    return { stock: await this.#retried(() => this.#lookups.push(name)), cache };
  }

  async #lookUp(names: readonly string[]): Promise<(KnownStock | undefined)[]> {
    // The answer may be cached only if this same session still runs when it arrives (R8).
    const { session } = this.#cache;
    const { seen } = this.#ledger;
    const different = [...new Set(names)];
    this.#tail?.acknowledge();
    const { stocks, life } = await this.#options.catalog.lookup(different, seen);
    const nowMs = this.#options.clock.nowMs();
    const byName = new Map<string, KnownStock>();
    for (const found of stocks) {
      if (!found) continue;
      const stock = { ...found, life };
      this.#cache.fill(session, stock, nowMs);
      this.#ledger.reaches(stock.rev, seen);
      byName.set(stock.name, stock);
    }
    return names.map((name) => byName.get(name));
  }

  /** Retries a read until REQUEST_TIMEOUT_MS has passed: a read changes nothing. */
  #retried<T>(read: () => Promise<T>): Promise<T> {
    const { clock, config } = this.#options;
    const deadlineMs = clock.nowMs() + config.requestTimeoutMs;
    const attempt = async (): Promise<T> => {
      for (;;) {
        try {
          return await read();
        } catch (error) {
          const failure = BazaarError.from(error);
          if (!isRetryable(failure.code) || this.#stopped || clock.nowMs() + retryMs >= deadlineMs) throw failure;
          await this.#choice.changed(retryMs);
        }
      }
    };
    return this.#deadlines.guard(attempt());
  }
}

function noAnswer(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no answer in time");
}

function noReplica(): BazaarError {
  return new BazaarError("UNAVAILABLE", "no order replica is reachable");
}
