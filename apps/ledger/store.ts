/**
 * The interface of a stored ledger: create, migrate, seed, lock, open, check, back up, and replace or
 * continue it when it is lost or old. `Ledger`
 * is what a running catalog does with it; this interface is everything else, and the only way to a stored ledger.
 * Without it every tool would depend on the ledger being a file, and a ledger on a server would need a second set of
 * tools.
 *
 * A store holds nothing open: each method opens what it needs and closes it. Errors name the store and the command that
 * repairs it (DatabaseError), or what the configuration must be (ConfigError).
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import type { BazaarError } from "@stock-bazaar/shared/errors";
import type { Check, ReplicaCopy } from "./check.ts";
import type { Rejection } from "./decide.ts";
import type { Ledger } from "./ledger.ts";
import type { Replayed, Used } from "./replay.ts";

export interface LedgerStore {
  /** The store's name in messages: a file, or a URL without its password. */
  readonly name: string;
  /** All of the store's files on this machine, including its lock; empty for a server. */
  readonly files: readonly string[];
  /** True before the first migration, and after the ledger was deleted. */
  isMissing(): Promise<boolean>;
  /**
   * Creates the ledger if it is missing. Returns how many migrations ran. May run concurrently and beside a catalog.
   */
  migrate(): Promise<number>;

  /** Opens the ledger for a service. Rejects unless it exists, is migrated and is writable. */
  open(options?: OpenOptions): Promise<Ledger>;
  /** Locks the ledger for a service. Rejects with a ConfigError if another process holds it even after a short wait. */
  lock(): Promise<Unlock>;
  /** Like `lock`, but returns `undefined` if another process holds it. The ledger itself may be missing. */
  lockIfFree(): Promise<Unlock | undefined>;
  /**
   * For one of several catalogs on the same ledger, of which one at a time is active (R11). Rejects unless the ledger can be
   * used. Absent if only one process can use it.
   */
  standBy?(options: OpenOptions): Promise<TakeOver>;
  /**
   * Watches a ledger that was just opened, or stood by for. Calls `gone` once if the ledger or its lock was deleted or
   * replaced. Returns a function that ends the watch.
   */
  watch(clock: Clock, gone: (error: Error) => void): () => void;

  /** Passes `look` a view of one snapshot, also beside a running catalog. A long `look` delays SQLite's checkpoints. */
  read<Result>(look: (view: LedgerView) => Promise<Result>): Promise<Result>;
  /**
   * Checks I1 and I2, and I3 for these replicas, on a snapshot of each. The replicas' snapshots are taken first: an
   * order is in the ledger before any replica has it. `seen` receives each table's name once its snapshot is taken.
   */
  check(copies: readonly ReplicaCopy[], seen?: (table: string) => void): Promise<Check[]>;

  /** Adds the stocks that are missing, all or none; an existing stock keeps its row. Returns how many were added. */
  addStocks(stocks: readonly NewStock[], beforeCommit: BeforeCommit): Promise<number>;
  /**
   * Fills a ledger that has no orders, all or nothing. The given stocks replace those of the same name; others stay.
   * Rejects with a ReplayError if the ledger has orders, or if the given orders don't follow from the stocks.
   */
  fillEmpty(content: FillContent, beforeCommit: BeforeCommit): Promise<Replayed>;
  /** Rejects if this user can't write the ledger's file, or if a service has found it damaged and it still is. */
  requireUsable(): Promise<void>;
  /**
   * Builds a complete ledger, then moves an existing one aside and puts the new one in its place. All or nothing.
   * Rejects with a ReplayError if the orders don't follow from the stocks. The caller must hold the lock.
   */
  replaceWith(content: LedgerContent): Promise<Replaced>;
  /**
   * Continues a ledger that is an old copy by the orders after its last one, in a new life and an unused term, as of a ledger
   * that hasn't ended cleanly. All or nothing. Rejects with a ReplayError if the orders don't follow from the stocks. The
   * caller must hold the lock.
   */
  continueWith(pages: LedgerContent["pages"]): Promise<Replayed>;
  /**
   * Writes the ledger, as it is at one moment, into a file of the same name in this folder, also beside a running catalog.
   * Absent on a server, which has its own tools for that.
   */
  copyFile?(folder: string): Promise<void>;
  /**
   * Makes this ledger a copy of another one, in a new term (`copy.ts`), and moves an existing one aside. All or nothing: if
   * `compare`, which receives the finished copy, rejects, nothing has changed. Returns the new name of the ledger that was
   * moved aside; `undefined` if there was none. Rejects with a CopyError if this ledger was ever used. The caller must hold
   * the locks of both.
   */
  copyFrom(source: LedgerView, compare: (copy: LedgerView) => Promise<void>): Promise<string | undefined>;
}

/** Releases a lock. */
export type Unlock = () => Promise<void>;

/**
 * Waits while another process has the ledger, then takes it over. `ended` receives, at most once, why this process has it no
 * longer: nothing that it remembers of the ledger counts from then on. Rejects when `signal` aborts.
 */
export type TakeOver = (ended: (reason: BazaarError) => void, signal: AbortSignal) => Promise<Stand>;

/** The time in which a process has the ledger, from its takeover on. */
export interface Stand {
  readonly ledger: Ledger;
  /** Ends it, so that another process needn't wait. The ledger must be closed. */
  release(): Promise<void>;
}

/** Runs inside the transaction with all initial stocks, including the new ones. If it throws, nothing is committed. */
export type BeforeCommit = (initialStocks: readonly NewStock[]) => void;

export interface OpenOptions {
  /** Receives a failure after which the stored ledger can't be trusted. Default: ignored. */
  readonly broken?: (error: unknown) => void;
  /** Receives what a person should know of a server: a line for each of its settings that endangers what is stored. */
  readonly warn?: (text: string) => void;
  readonly clock?: Clock;
  /** How long a write is retried, at most, while another process locks the ledger. Default: the store's own limit. */
  readonly patienceMsMax?: number;
}

/** A consistent snapshot of a ledger. */
export interface LedgerView extends Pick<Ledger, "register" | "leases" | "stocksFrom" | "ordersAfter"> {
  /** The id of the last stored order, whatever the register's head is; 0 if there is none. */
  lastId(): Promise<number>;
  order(id: number): Promise<Order | undefined>;
  countStocks(): Promise<number>;
  /** The initial stocks, sorted by the UTF-8 bytes of their names. */
  initialStocks(): Promise<NewStock[]>;
  /** The first key of a rejected trade from `from` up to, but not including, `before`, by UTF-8 bytes. */
  firstRejectedKey(from: string, before: string): Promise<string | undefined>;
  /** The first `limit` rejections with a sequence number above `after`, ascending. */
  rejectionsAfter(after: number, limit: number): Promise<KeptRejection[]>;
  /** The sequence number of the newest rejection, 0 before the first. */
  lastRejection(): Promise<number>;
}

/** A stored rejection. */
export interface KeptRejection extends Rejection {
  /** Its sequence number. */
  readonly place: number;
}

export interface FillContent {
  /** The initial stocks to add or replace. */
  readonly stocks: readonly NewStock[];
  /** The orders, numbered from 1, in terms that the ledger hasn't used. */
  readonly orders: (used: Used) => Iterable<Order>;
  /** The quantities, by name, that the orders must lead to. `fillEmpty` rejects if a stock ends with another one. */
  readonly quantities: ReadonlyMap<string, number>;
}

export interface LedgerContent {
  /** The initial stocks. */
  readonly stocks: readonly NewStock[];
  /** All orders, numbered from 1, in pages. */
  readonly pages: AsyncIterable<readonly Order[]> | Iterable<readonly Order[]>;
}

export interface Replaced extends Replayed {
  /** The new name of the ledger that was moved aside; `undefined` if there was none. */
  readonly aside: string | undefined;
}
