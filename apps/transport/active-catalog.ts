/**
 * The active one of several catalogs, for callers (R11). Calls and streams go to the catalog that was found last. When it
 * answers NOT_ACTIVE, fails or is silent, every catalog is asked for the register until one answers: only the active one
 * does. However many calls fail, there is one search at a time, with one request under way to each catalog. Only a call that
 * was answered with NOT_ACTIVE is made again here, since nothing was done; the outcome of others may be unknown (R10).
 */

import type {
  CatalogApi,
  CatalogState,
  Stream,
  StreamHandlers,
  TailReply,
  TailRequest,
} from "@stock-bazaar/shared/api";
import { type Clock, pause, withDeadline } from "@stock-bazaar/shared/clock";
import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";

/** A call that is unanswered for this long begins a search: a frozen catalog refuses nothing. */
const silenceMs = 500;
/** Delay between two requests of a search to the same catalog. */
const retryMs = 50;

/** What a catalog answers that another one may do better. */
const elsewhere: ReadonlySet<ErrorCode> = new Set(["NOT_ACTIVE", "UNAVAILABLE", "STORAGE_UNAVAILABLE"]);

export interface ActiveCatalogOptions {
  /** At least two, each with its address. */
  readonly catalogs: readonly { readonly address: string; readonly catalog: CatalogApi }[];
  readonly clock: Clock;
  /** How long a search, and a call that waits for it, may last. */
  readonly timeoutMs: number;
}

/** The use of one catalog until another one is found to be active. */
interface Place {
  readonly catalog: CatalogApi;
  /** Ends each call and stream that is open there, in the order of their beginning. */
  readonly open: Map<() => void, { readonly sinceMs: number; readonly isStream: boolean }>;
}

export class ActiveCatalog implements CatalogApi {
  readonly #options: ActiveCatalogOptions;
  #place: Place;
  #search: Promise<void> | undefined;
  #isWatching = false;

  readonly apply: CatalogApi["apply"] = (request) => this.#ask((catalog) => catalog.apply(request));
  readonly restock: CatalogApi["restock"] = (request) => this.#ask((catalog) => catalog.restock(request));
  readonly settle: CatalogApi["settle"] = (upTo) => this.#ask((catalog) => catalog.settle(upTo));
  readonly lookup: CatalogApi["lookup"] = (names, seen) => this.#ask((catalog) => catalog.lookup(names, seen));
  readonly stocks: CatalogApi["stocks"] = (request, seen) => this.#ask((catalog) => catalog.stocks(request, seen));
  readonly ordersAfter: CatalogApi["ordersAfter"] = (afterId, limit) =>
    this.#ask((catalog) => catalog.ordersAfter(afterId, limit));
  readonly register: CatalogApi["register"] = (seen, last) => this.#ask((catalog) => catalog.register(seen, last));
  readonly acquire: CatalogApi["acquire"] = (request) => this.#ask((catalog) => catalog.acquire(request));

  constructor(options: ActiveCatalogOptions) {
    this.#options = options;
    const [first] = options.catalogs;
    if (!first) throw new BazaarError("INTERNAL_ERROR", "there must be a catalog (got none)");
    this.#place = { catalog: first.catalog, open: new Map() };
  }

  tail(handlers: StreamHandlers<TailReply>): Stream<TailRequest> {
    const place = this.#place;
    let isOpen = true;
    const end = (error?: BazaarError) => {
      if (!isOpen) return;
      isOpen = false;
      place.open.delete(leave);
      handlers.ended(error);
    };
    const leave = () => {
      stream.close();
      end(otherIsActive());
    };
    place.open.set(leave, { sinceMs: this.#options.clock.nowMs(), isStream: true });
    const stream = place.catalog.tail({
      message: (reply) => {
        if (isOpen) handlers.message(reply);
      },
      ended: (error) => {
        if (error && elsewhere.has(error.code)) void this.#seek(place);
        end(error);
      },
    });
    return {
      send: (request) => stream.send(request),
      close: () => {
        isOpen = false;
        place.open.delete(leave);
        stream.close();
      },
    };
  }

  /** Whether each catalog is active, for people. */
  states(): Promise<CatalogState[]> {
    const { catalogs, clock } = this.#options;
    const silent = () => new BazaarError("UNAVAILABLE", "no answer in time");
    const stateOf = async (catalog: CatalogApi): Promise<CatalogState["state"]> => {
      try {
        await withDeadline(clock, silenceMs, catalog.register(), silent);
        return "active";
      } catch (error) {
        const { code } = BazaarError.from(error);
        return code === "NOT_ACTIVE" ? "standby" : elsewhere.has(code) ? "away" : "active";
      }
    };
    return Promise.all(catalogs.map(async ({ address, catalog }) => ({ address, state: await stateOf(catalog) })));
  }

  async #ask<Result>(call: (catalog: CatalogApi) => Promise<Result>): Promise<Result> {
    const { clock, timeoutMs } = this.#options;
    const endMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const place = this.#place;
      try {
        return await this.#until(place, call(place.catalog));
      } catch (error) {
        const { code, message } = BazaarError.from(error);
        const searched = elsewhere.has(code) ? this.#seek(place) : undefined;
        if (code !== "NOT_ACTIVE") throw error;
        await searched;
        if (clock.nowMs() >= endMs) throw new BazaarError("UNAVAILABLE", `no catalog is active: ${message}`);
      }
    }
  }

  /** Settles like the call, or rejects when another catalog is found to be active. */
  #until<Result>(place: Place, call: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = () => reject(otherIsActive());
      place.open.set(leave, { sinceMs: this.#options.clock.nowMs(), isStream: false });
      this.#watch();
      call.then(resolve, reject).finally(() => place.open.delete(leave));
    });
  }

  /** Searches when a call has been unanswered for long. */
  #watch(): void {
    if (this.#isWatching) return;
    const place = this.#place;
    const { clock } = this.#options;
    const oldest = place.open.values().find(({ isStream }) => !isStream);
    if (oldest === undefined) return;
    this.#isWatching = true;
    const silentMs = clock.nowMs() - oldest.sinceMs;
    if (silentMs >= silenceMs) void this.#seek(place);
    clock.after(silentMs >= silenceMs ? silenceMs : silenceMs - silentMs, () => {
      this.#isWatching = false;
      this.#watch();
    });
  }

  /** Resolves when an active catalog is found, or after the longest time of a search. */
  #seek(left: Place): Promise<void> {
    if (this.#place !== left) return Promise.resolve();
    this.#search ??= this.#find().finally(() => (this.#search = undefined));
    return this.#search;
  }

  #find(): Promise<void> {
    const { catalogs, clock, timeoutMs } = this.#options;
    return new Promise((resolve) => {
      let isOver = false;
      const finish = () => {
        isOver = true;
        cancel();
        resolve();
      };
      const cancel = clock.after(timeoutMs, finish);
      const ask = async (catalog: CatalogApi) => {
        while (!isOver) {
          try {
            await catalog.register();
            if (isOver) return;
            this.#moveTo(catalog);
            return finish();
          } catch (error) {
            // A ledger that was longer once is refused by the active catalog: callers must receive that.
            if (!isOver && !elsewhere.has(BazaarError.from(error).code)) {
              this.#moveTo(catalog);
              return finish();
            }
          }
          await pause(clock, retryMs);
        }
      };
      for (const { catalog } of catalogs) void ask(catalog);
    });
  }

  #moveTo(catalog: CatalogApi): void {
    const left = this.#place;
    if (left.catalog === catalog) return;
    this.#place = { catalog, open: new Map() };
    for (const leave of left.open.keys()) leave();
  }
}

function otherIsActive(): BazaarError {
  return new BazaarError("UNAVAILABLE", "another catalog is active now");
}
