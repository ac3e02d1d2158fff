/**
 * A stored ledger through its whole life: created, migrated, seeded, locked, opened, checked, and replaced when it is lost.
 * `Ledger` is what a running catalog does with it. This interface is everything else, and the only way to a stored ledger. Without this seam every
 * tool would know that a ledger is a file, and a ledger on a server would need a second set of tools.
 *
 * A store holds nothing open: each method opens what it needs and closes it. Errors name the store, and the command that
 * mends it (DatabaseError), or say what the configuration must be (ConfigError).
 */

import type { Clock } from "@stock-bazaar/shared/clock";
import type { NewStock, Order } from "@stock-bazaar/shared/domain";
import type { Check, ReplicaCopy } from "./check.ts";
import type { Ledger } from "./ledger.ts";
import type { Replayed, Used } from "./replay.ts";

export interface LedgerStore {
  /** For messages: a file, or a URL without its password. */
  readonly name: string;
  /** Every file on this machine that belongs to it, its lock included; none for a server. */
  readonly files: readonly string[];
  /** True before its first migration, and when it was deleted. */
  isMissing(): Promise<boolean>;
  /** Creates it if it is missing. Returns how many migrations were applied. May run twice at once, and beside a catalog. */
  migrate(): Promise<number>;

  /** For a service that serves. Rejects unless it is there, migrated and writable. */
  open(options?: OpenOptions): Promise<Ledger>;
  /** Holds it for a service. Rejects with a ConfigError if another process still holds it after a short wait. */
  lock(): Promise<Unlock>;
  /** The same, but `undefined` if another process holds it. The ledger itself may be missing. */
  lockIfFree(): Promise<Unlock | undefined>;
  /** It has just been opened. Calls `gone` once when it, or the lock, was deleted or replaced. Returns what ends the watch. */
  watch(clock: Clock, gone: (error: Error) => void): () => void;

  /** What `look` reads through its view is one moment, beside a running catalog as well. A long look delays SQLite's checkpoints. */
  read<Result>(look: (view: LedgerView) => Promise<Result>): Promise<Result>;
  /**
   * Checks I1 and I2, and I3 for these copies, in one moment of each: the copies' moments come first, as an order is in the
   * ledger before any replica has it. `seen` receives each table's name when its moment has passed.
   */
  check(copies: readonly ReplicaCopy[], seen?: (table: string) => void): Promise<Check[]>;

  /** Adds the stocks that aren't there, all or none; a stock that is there keeps its row. Returns how many were added. */
  addStocks(stocks: readonly NewStock[], beforeCommit: BeforeCommit): Promise<number>;
  /**
   * Fills a ledger without orders, all or nothing: these stocks begin anew, others stay. Rejects with a ReplayError if the
   * ledger has orders, or these don't follow from the stocks.
   */
  fillEmpty(content: FillContent, beforeCommit: BeforeCommit): Promise<Replayed>;
  /**
   * Builds a ledger whole, then puts it in place of the one that is there, which is put aside. All or nothing: rejects with a
   * ReplayError if the orders don't follow from the stocks. The caller holds the lock.
   */
  replaceWith(content: LedgerContent): Promise<Replaced>;
}

/** Gives a lock back. */
export type Unlock = () => Promise<void>;

/** Runs inside the transaction, with what all stocks begin with by then. If it throws, nothing is committed. */
export type BeforeCommit = (began: readonly NewStock[]) => void;

export interface OpenOptions {
  /** Receives a failure after which the stored ledger can't be trusted. Default: nothing receives it. */
  readonly broken?: (error: unknown) => void;
  readonly clock?: Clock;
  /** How long a write is tried again while another process holds the ledger's lock, at most. Default: the store's own limit. */
  readonly patienceMsMax?: number;
}

/** One moment of a ledger. */
export interface LedgerView extends Pick<Ledger, "register" | "leases" | "stocksFrom" | "ordersAfter"> {
  /** The id of the last order that is there, whatever the register says; 0: none. */
  lastId(): Promise<number>;
  order(id: number): Promise<Order | undefined>;
  countStocks(): Promise<number>;
  /** What each stock began with, sorted by name in the order of its UTF-8 bytes. */
  initialStocks(): Promise<NewStock[]>;
  /** The first key of a rejected trade from `from` up to `before`, in the order of its UTF-8 bytes. */
  firstRejectedKey(from: string, before: string): Promise<string | undefined>;
}

export interface FillContent {
  /** What these stocks begin with. */
  readonly stocks: readonly NewStock[];
  /** Numbered from 1, and of terms that the ledger hasn't used. */
  readonly orders: (used: Used) => Iterable<Order>;
  /** What the orders must lead to, by name. Rejects if a stock holds another quantity in the end. */
  readonly quantities: ReadonlyMap<string, number>;
}

export interface LedgerContent {
  /** What the stocks begin with. */
  readonly stocks: readonly NewStock[];
  /** All orders since then, numbered from 1, a page at a time. */
  readonly pages: AsyncIterable<readonly Order[]> | Iterable<readonly Order[]>;
}

export interface Replaced extends Replayed {
  /** The name of the ledger that was there before; `undefined`: none was. */
  readonly aside: string | undefined;
}
