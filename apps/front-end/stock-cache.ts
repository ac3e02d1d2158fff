/**
 * The cache of stocks (R8): an LRU that answers only while its lease runs. During a lease, the catalog reveals no
 * change before this front-end has acknowledged it. Pure bookkeeping: the time is an argument.
 *
 * The failure that it prevents: one front-end returns the new quantity, and then another returns the old one from its
 * cache.
 */

import type { Moment } from "@stock-bazaar/shared/clock";
import type { Stock } from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";
import QuickLRU from "quick-lru";
import type { CacheState, KnownStock } from "./bazaar.ts";

/** The right to serve from the cache, counted from the moment when its request was sent. */
export interface Lease {
  readonly sent: Moment;
  readonly leaseMs: number;
}

interface Entry {
  stock: KnownStock;
  filledMs: number;
  /** True if a lookup has asked for this revision; false if only a change has replaced the entry. */
  isAsked: boolean;
}

export class StockCache {
  readonly #capacity: number;
  readonly #ttlMs: number;
  readonly #entries: QuickLRU<string, Entry>;
  /** size ≤ capacity */
  #size = 0;
  /** The session of the entries; `undefined` if there is none, and then nothing may be filled in. */
  #session: string | undefined;
  #lease: Lease | undefined;
  /**
   * The oldest rev that may be served, for each stock that has changed in this session: floor ≤ the entry's rev. A
   * floor only rises. Bounded by the number of stocks.
   */
  readonly #floor = new Map<string, number>();
  #hits = 0;
  #misses = 0;

  /** `capacity` is a number of stocks, 0 = no cache. With `ttlMs` = 0 an entry stays until it is evicted. */
  constructor(options: { capacity: number; ttlMs: number }) {
    this.#capacity = options.capacity;
    this.#ttlMs = options.ttlMs;
    // QuickLRU must never reach its own limit: it would drop a whole generation at once, and `#size` would be wrong.
    this.#entries = new QuickLRU({ maxSize: options.capacity + 1 });
  }

  get enabled(): boolean {
    return this.#capacity > 0;
  }

  /** The session to pass to `fill` with a stock that is read from now on; `undefined` if there is none. */
  get session(): string | undefined {
    return this.#session;
  }

  state(now: Moment): CacheState {
    return {
      capacity: this.#capacity,
      size: this.#size,
      hits: this.#hits,
      misses: this.#misses,
      leased: this.leased(now),
    };
  }

  /** True while the lease runs on both clocks: the monotonic clock stands still while the machine sleeps. */
  leased({ monotonicMs, wallMs }: Moment): boolean {
    if (!this.#lease) return false;
    const { sent, leaseMs } = this.#lease;
    const elapsedWallMs = wallMs - sent.wallMs;
    return monotonicMs < sent.monotonicMs + leaseMs && elapsedWallMs >= 0 && elapsedWallMs < leaseMs;
  }

  /** Begins a session with the catalog. Removes the entries of an earlier one. */
  begin(session: string, lease: Lease): void {
    this.end();
    this.#session = session;
    this.#lease = lease;
  }

  /** Extends the lease. An answer that was overtaken by the answer to a later renewal doesn't shorten it. */
  renew(lease: Lease): void {
    if (!this.#lease || endMs(lease) > endMs(this.#lease)) this.#lease = lease;
  }

  /** Ends the session: nothing is served or filled in until the next one begins. */
  end(): void {
    this.#session = undefined;
    this.#lease = undefined;
    this.#floor.clear();
    this.#entries.clear();
    this.#size = 0;
  }

  /** Returns the stock if it may be served now. Counts as a hit or a miss. */
  get(name: string, now: Moment): KnownStock | undefined {
    const stock = this.peek(name, now);
    if (!stock) this.#misses += 1;
    return stock;
  }

  /** Like `get`, but a miss isn't counted. */
  peek(name: string, now: Moment): KnownStock | undefined {
    const entry = this.#servable(name, now);
    if (!entry) return undefined;
    this.#hits += 1;
    entry.isAsked = true;
    return entry.stock;
  }

  /** Like `get`, but only for stocks that a lookup has asked for since their last change. */
  getAsked(name: string, now: Moment): KnownStock | undefined {
    if (this.#entries.peek(name)?.isAsked) return this.get(name, now);
    this.#misses += 1;
    return undefined;
  }

  /** Stores the result of a lookup that was sent during `session`, if that still runs and the floor isn't higher. */
  fill(session: string | undefined, stock: KnownStock, nowMs: number): void {
    if (!this.enabled || session === undefined || session !== this.#session) return;
    if (stock.rev < (this.#floor.get(stock.name) ?? 0)) return;
    this.drop(stock.name);
    this.#entries.set(stock.name, { stock, filledMs: nowMs, isAsked: true });
    this.#size += 1;
    if (this.#size > this.#capacity) this.#dropOldest();
    invariant(this.#size <= this.#capacity, "size ≤ capacity", this.#size, this.#capacity);
  }

  /** Evicts the stock if it is older than `rev`, and raises the floor to `rev`. */
  changed(name: string, rev: number): void {
    if (rev <= (this.#floor.get(name) ?? 0)) return;
    this.#floor.set(name, rev);
    const entry = this.#entries.peek(name);
    if (entry && entry.stock.rev < rev) this.drop(name);
  }

  /** Replaces a cached older stock instead of evicting it. Allowed only while no other front-end may serve. */
  replace(stock: Stock, life: string, nowMs: number): void {
    const entry = this.#entries.peek(stock.name);
    // Updates in place: a change must not refresh the LRU order.
    if (entry && entry.stock.rev < stock.rev) {
      Object.assign(entry, { stock: { ...stock, life }, filledMs: nowMs, isAsked: false });
    }
    this.changed(stock.name, stock.rev);
  }

  /** True if the stock is in the cache, even if it may not be served. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  drop(name: string): void {
    if (this.#entries.delete(name)) this.#size -= 1;
  }

  #servable(name: string, now: Moment): Entry | undefined {
    if (!this.leased(now)) return undefined;
    const entry = this.#entries.peek(name);
    if (entry && this.#ttlMs > 0 && now.monotonicMs - entry.filledMs >= this.#ttlMs) {
      this.drop(name);
      return undefined;
    }
    if (!entry) return undefined;
    const floor = this.#floor.get(name) ?? 0;
    invariant(entry.stock.rev >= floor, "floor ≤ served rev", floor, entry.stock.rev);
    // QuickLRU doesn't move an entry that is used again within the same generation.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  /** Drops one entry. QuickLRU itself would drop a whole generation at once, and hold up to two of them. */
  #dropOldest(): void {
    for (const [name] of this.#entries.entriesAscending()) {
      this.drop(name);
      return;
    }
  }
}

/** The end of a lease on the monotonic clock. */
function endMs({ sent, leaseMs }: Lease): number {
  return sent.monotonicMs + leaseMs;
}
