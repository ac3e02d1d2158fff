/**
 * A simulated PostgreSQL server for several catalogs: sessions, transactions, the lock on the register's row, and the limits
 * after which the server ends what a frozen catalog has begun. The committed rows are in the SQLite database of the
 * `CatalogStore`, where the checks read them; a transaction's writes are applied to it at its COMMIT.
 */

import type { Result, Value } from "@stock-bazaar/ledger/postgres/connection";
import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import type { Random } from "@stock-bazaar/shared/random";
import type { CatalogStore } from "./catalog-store.ts";
import type { Scheduler } from "./scheduler.ts";
import { SharedTables } from "./shared-tables.ts";

/** Average time of a statement, and of a COMMIT beyond that. */
const statementMs = 0.05;
const syncMs = 0.5;

export interface Sent {
  /** Counts the statements of a connection, from 1. */
  readonly number: number;
  readonly text: string;
  readonly values: readonly Value[];
}

/** The answer to a statement; 0 when the session has begun. */
export interface Answer {
  readonly number: number;
  readonly result: Result<object> | Error;
}

/**
 * A statement fails with an SQLSTATE, those that begin with 57P0 end the session too; or it is done, but the session ends; or
 * it arrives late.
 */
export type Fate = { readonly code: string } | { readonly lateMs: number } | "unanswered";

/** Failures that may pass: of serialization, a deadlock, a lock, a cancelled statement, a standby, a server that ends or starts. */
export const passingCodes = ["40001", "40P01", "55P03", "57014", "25006", "57P01", "57P02", "57P03"];

/** A session's settings; limits in milliseconds. */
export interface SessionSettings {
  readonly name: string;
  readonly lockMs: number;
  readonly idleMs: number;
  readonly transactionMs: number;
}

/** An error as pg reports it. */
export function serverError(code: string, message: string): Error & { readonly code: string } {
  return Object.assign(new Error(message), { code, severity: "ERROR" });
}

export interface SharedServerOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly store: CatalogStore;
  /** Whether it has a limit on transactions, as PostgreSQL 17 and later. */
  readonly limitsTransactions: boolean;
  readonly committed: () => void;
}

export class SharedServer {
  readonly tables: SharedTables;
  readonly #options: SharedServerOptions;
  /** The sessions that wait for the register's row, in order; the first has it. */
  #lockQueue: { readonly session: Session; readonly got: () => void }[] = [];
  readonly #sessions = new Set<Session>();
  /** Average delay of a statement beyond the ordinary. */
  slowMs = 0;
  /** What becomes of a statement, by its text. Default: it is done and answered. */
  fate: ((text: string) => Fate | undefined) | undefined;

  constructor(options: SharedServerOptions) {
    this.#options = options;
    this.tables = new SharedTables(options.store);
  }

  /** The catalog that has locked the register's row. */
  get lockHolder(): string | undefined {
    return this.#lockQueue[0]?.session.owner;
  }

  get limitsTransactions(): boolean {
    return this.#options.limitsTransactions;
  }

  open(owner: string, settings: SessionSettings, handlers: StreamHandlers<Answer>): Stream<Sent> {
    const session = new Session(this, owner, settings, handlers);
    this.#sessions.add(session);
    handlers.message({ number: 0, result: nothing });
    return session;
  }

  /** Ends sessions, as an administrator or a restart does: what isn't committed is lost. Default: all. */
  endSessions(name?: string): void {
    for (const session of this.#sessions) {
      if (name === undefined || session.name === name) session.end(serverError("57P01", "terminating connection"));
    }
  }

  /** Nothing arrives on any connection of now any more, and neither side learns of it. */
  silence(): void {
    for (const session of this.#sessions) session.silence();
  }

  /**
   * The session that has the register's row waits for its client, which reads nothing: it isn't idle, and does nothing.
   * Returns a function that ends that.
   */
  stick(): () => void {
    const session = this.#lockQueue[0]?.session;
    session?.stick(true);
    return () => session?.stick(false);
  }

  /** Ends what faults have begun. */
  heal(): void {
    this.slowMs = 0;
    this.fate = undefined;
    for (const session of this.#sessions) session.stick(false);
  }

  ended(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Calls `got` once the session has the register's row, or `late` after `waitMs`. */
  lock(session: Session, waitMs: number, got: () => void, late: () => void): void {
    const waiting = { session, got };
    this.#lockQueue.push(waiting);
    if (this.#lockQueue.length === 1) return got();
    this.after(waitMs, () => {
      const index = this.#lockQueue.indexOf(waiting);
      if (index < 1) return;
      this.#lockQueue.splice(index, 1);
      late();
    });
  }

  hasLock(session: Session): boolean {
    return this.#lockQueue[0]?.session === session;
  }

  unlock(session: Session): void {
    const had = this.hasLock(session);
    this.#lockQueue = this.#lockQueue.filter((waiting) => waiting.session !== session);
    if (had) this.#lockQueue[0]?.got();
  }

  after(delayMs: number, action: () => void): void {
    this.#options.scheduler.after(delayMs, action);
  }

  /** The time that a statement takes. */
  takesMs(isCommit: boolean): number {
    const { random } = this.#options;
    const extraMs = this.slowMs > 0 ? random.exponential(this.slowMs) : 0;
    return random.exponential(statementMs) + extraMs + (isCommit ? random.exponential(syncMs) : 0);
  }

  commit(writes: readonly (() => void)[]): void {
    if (writes.length === 0) return;
    this.tables.write(writes);
    this.#options.committed();
  }
}

const nothing: Result<object> = { rows: [], count: 0, command: "" };

interface Transaction {
  readonly writes: (() => void)[];
  isFailed: boolean;
}

class Session implements Stream<Sent> {
  readonly owner: string;
  readonly #server: SharedServer;
  readonly #settings: SessionSettings;
  readonly #handlers: StreamHandlers<Answer>;
  readonly #queue: (Sent | "close")[] = [];
  #transaction: Transaction | undefined;
  #received = 0;
  /** The number of a statement after which the session ends without an answer. */
  #unanswered: number | undefined;
  #isBusy = false;
  #isStuck = false;
  #isSilent = false;
  #isOver = false;

  constructor(server: SharedServer, owner: string, settings: SessionSettings, handlers: StreamHandlers<Answer>) {
    this.#server = server;
    this.owner = owner;
    this.#settings = settings;
    this.#handlers = handlers;
  }

  get name(): string {
    return this.#settings.name;
  }

  silence(): void {
    this.#isSilent = true;
  }

  stick(isStuck: boolean): void {
    this.#isStuck = isStuck;
    this.#next();
  }

  send(message: Sent): void {
    // TCP delivers everything once and in order. A repeated message may even arrive before its turn.
    if (this.#isSilent || message.number !== this.#received + 1) return;
    this.#received = message.number;
    this.#queue.push(message);
    this.#next();
  }

  /** The client is gone: what it sent before is still done. */
  close(): void {
    if (this.#isSilent) return;
    this.#queue.push("close");
    this.#next();
  }

  end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transaction = undefined;
    this.#server.ended(this);
    this.#server.unlock(this);
    if (error) this.#tell({ number: -1, result: error });
    if (!this.#isSilent) this.#handlers.ended();
  }

  #next(): void {
    if (this.#isBusy || this.#isStuck || this.#isOver) return;
    const message = this.#queue.shift();
    if (message === undefined) return this.#idle();
    if (message === "close") return this.end();
    this.#isBusy = true;
    this.#server.after(
      this.#server.takesMs(message.text === "COMMIT" || this.#server.tables.commits(message.text)),
      () => {
        if (!this.#isOver) this.#run(message);
      },
    );
  }

  #idle(): void {
    const transaction = this.#transaction;
    const number = this.#received;
    if (!transaction) return;
    this.#server.after(this.#settings.idleMs, () => {
      if (this.#isStuck || this.#transaction !== transaction || this.#received !== number) return;
      this.end(serverError("25P03", "terminating connection due to idle-in-transaction timeout"));
    });
  }

  #run(message: Sent): void {
    const { text } = message;
    const fate = this.#server.fate?.(text);
    if (fate === "unanswered") this.#unanswered = message.number;
    else if (fate && "code" in fate) return this.#refuse(message, serverError(fate.code, "the simulated server fails"));
    else if (fate) return this.#server.after(fate.lateMs, () => this.#obey(message));
    this.#obey(message);
  }

  #obey(message: Sent): void {
    const { text } = message;
    if (this.#isOver) return;
    if (text.startsWith("BEGIN")) return this.#begin(message);
    if (text === "COMMIT" || text === "ROLLBACK") return this.#finish(message);
    if (text.startsWith("SELECT pg_terminate_backend")) return this.#endOthers(message);
    if (this.#transaction?.isFailed)
      return this.#answer(message, serverError("25P02", "current transaction is aborted"));
    if (!this.#server.tables.locks(text) || this.#server.hasLock(this)) return this.#do(message);
    this.#server.lock(
      this,
      this.#settings.lockMs,
      () => this.#do(message),
      () => this.#fail(message, serverError("55P03", "canceling statement due to lock timeout")),
    );
  }

  #refuse(message: Sent, error: Error & { readonly code: string }): void {
    if (error.code.startsWith("57P0")) return this.end(error);
    if (message.text === "COMMIT") this.#transaction = undefined;
    this.#fail(message, error);
  }

  #endOthers(message: Sent): void {
    this.#server.endSessions(String(message.values[0]));
    this.#answer(message, nothing);
  }

  #begin(message: Sent): void {
    const transaction = { writes: [], isFailed: false };
    this.#transaction = transaction;
    if (this.#server.limitsTransactions)
      this.#server.after(this.#settings.transactionMs, () => {
        if (this.#transaction === transaction)
          this.end(serverError("25P04", "terminating connection due to transaction timeout"));
      });
    this.#answer(message, nothing);
  }

  #finish(message: Sent): void {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    const commits = message.text === "COMMIT" && transaction?.isFailed === false;
    if (commits) this.#server.commit(transaction.writes);
    this.#server.unlock(this);
    this.#answer(message, { ...nothing, command: commits ? "COMMIT" : "ROLLBACK" });
  }

  #do(message: Sent): void {
    if (this.#isOver) return;
    try {
      const { rows, count = rows.length, write } = this.#server.tables.run(message.text, message.values);
      if (this.#transaction) {
        if (write) this.#transaction.writes.push(write);
      } else {
        if (write) this.#server.commit([write]);
        this.#server.unlock(this);
      }
      this.#answer(message, { rows, count, command: "" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      this.#fail(message, error);
    }
  }

  #fail(message: Sent, error: Error): void {
    if (this.#transaction) this.#transaction.isFailed = true;
    else this.#server.unlock(this);
    this.#answer(message, error);
  }

  #answer({ number }: Sent, result: Result<object> | Error): void {
    if (number === this.#unanswered) return this.end();
    this.#isBusy = false;
    this.#tell({ number, result });
    this.#next();
  }

  #tell(answer: Answer): void {
    if (!this.#isSilent) this.#handlers.message(answer);
  }
}
