/**
 * The cache of stocks (R8): an LRU that answers only while a lease says that the catalog waits for this
 * front-end before it tells anybody of a change. Pure bookkeeping: the time comes in as an argument.
 *
 * The failure that it prevents: a reader is told the new quantity by one front-end, and then the old one
 * from the cache of another.
 */

import type { Moment } from "@stock-bazaar/shared/clock";
import type { Stock } from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";
import QuickLRU from "quick-lru";
import type { CacheState, KnownStock } from "./bazaar.ts";

/** The right to serve, from the moment when it was asked for. */
export interface Lease {
  readonly sent: Moment;
  readonly leaseMs: number;
}

interface Entry {
  stock: KnownStock;
  filledMs: number;
  /** A lookup has asked for the stock as it is now; false: a change brought it. */
  isAsked: boolean;
}

export class StockCache {
  readonly #capacity: number;
  readonly #ttlMs: number;
  readonly #entries: QuickLRU<string, Entry>;
  /** size ≤ capacity */
  #size = 0;
  /** The session that the entries belong to. `undefined`: nothing may be filled in. */
  #session: string | undefined;
  #lease: Lease | undefined;
  /**
   * For each name that has changed in this session, the oldest rev that may be served: floor ≤ the entry's rev. It only
   * rises. Bounded by the number of stocks.
   */
  readonly #floor = new Map<string, number>();
  #hits = 0;
  #misses = 0;

  /** `capacity`: stocks, 0 = off. `ttlMs`: 0 = until invalidated. */
  constructor(options: { capacity: number; ttlMs: number }) {
    this.#capacity = options.capacity;
    this.#ttlMs = options.ttlMs;
    // Its own limit is never reached: it would drop a whole generation at once, unseen by our count.
    this.#entries = new QuickLRU({ maxSize: options.capacity + 1 });
  }

  get enabled(): boolean {
    return this.#capacity > 0;
  }

  /** To be passed to `fill` with what is read from now on. `undefined` while there is no session. */
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

  /** A lease runs while both clocks say so: a machine that slept woke up with a monotonic clock that had stood still. */
  leased({ monotonicMs, wallMs }: Moment): boolean {
    if (!this.#lease) return false;
    const { sent, leaseMs } = this.#lease;
    const elapsedWallMs = wallMs - sent.wallMs;
    return monotonicMs < sent.monotonicMs + leaseMs && elapsedWallMs >= 0 && elapsedWallMs < leaseMs;
  }

  /** A session with the catalog has begun; what an earlier one left is of no more use. */
  begin(session: string, lease: Lease): void {
    this.end();
    this.#session = session;
    this.#lease = lease;
  }

  /** A renewal whose answer overtook an earlier one's is not undone by it. */
  renew(lease: Lease): void {
    if (!this.#lease || endMs(lease) > endMs(this.#lease)) this.#lease = lease;
  }

  /** The session is over: nothing is served and nothing filled in until the next begins. */
  end(): void {
    this.#session = undefined;
    this.#lease = undefined;
    this.#floor.clear();
    this.#entries.clear();
    this.#size = 0;
  }

  /** The stock, if it may be served now. Counts as a hit or a miss. */
  get(name: string, now: Moment): KnownStock | undefined {
    const stock = this.peek(name, now);
    if (!stock) this.#misses += 1;
    return stock;
  }

  /** As `get`, but a miss isn't counted. */
  peek(name: string, now: Moment): KnownStock | undefined {
    const entry = this.#servable(name, now);
    if (!entry) return undefined;
    this.#hits += 1;
    entry.isAsked = true;
    return entry.stock;
  }

  /** As `get`, for a client that asks what lookups have put here: not the stock that a change brought. */
  getAsked(name: string, now: Moment): KnownStock | undefined {
    if (this.#entries.peek(name)?.isAsked) return this.get(name, now);
    this.#misses += 1;
    return undefined;
  }

  /** What a lookup brought that was sent during `session`. Older news than the floor, or of another session, stay out. */
  fill(session: string | undefined, stock: KnownStock, nowMs: number): void {
    if (!this.enabled || session === undefined || session !== this.#session) return;
    if (stock.rev < (this.#floor.get(stock.name) ?? 0)) return;
    this.drop(stock.name);
    this.#entries.set(stock.name, { stock, filledMs: nowMs, isAsked: true });
    this.#size += 1;
    if (this.#size > this.#capacity) this.#dropOldest();
    invariant(this.#size <= this.#capacity, "size ≤ capacity", this.#size, this.#capacity);
  }

  /** The stock has changed: what is older than `rev` must not be served again. */
  changed(name: string, rev: number): void {
    if (rev <= (this.#floor.get(name) ?? 0)) return;
    this.#floor.set(name, rev);
    const entry = this.#entries.peek(name);
    if (entry && entry.stock.rev < rev) this.drop(name);
  }

  /** The stock has changed, and to know it here is enough: whoever has it cached goes on with what it is now. */
  replace(stock: Stock, life: string, nowMs: number): void {
    const entry = this.#entries.peek(stock.name);
    // In its place: a change is no use of it.
    if (entry && entry.stock.rev < stock.rev) {
      Object.assign(entry, { stock: { ...stock, life }, filledMs: nowMs, isAsked: false });
    }
    this.changed(stock.name, stock.rev);
  }

  /** Is the stock in the cache, servable or not? */
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
    // QuickLRU alone doesn't move what is used again within a generation.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  /** One at a time: left to itself, QuickLRU drops a whole generation, and holds up to two of them. */
  #dropOldest(): void {
    for (const [name] of this.#entries.entriesAscending()) {
      this.drop(name);
      return;
    }
  }
}

/** On the monotonic clock. */
function endMs({ sent, leaseMs }: Lease): number {
  return sent.monotonicMs + leaseMs;
}
