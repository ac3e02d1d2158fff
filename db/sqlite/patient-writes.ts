/**
 * How a service waits for a database whose write lock another process holds: a `sqlite3` that somebody has left in a
 * transaction, a migration, a backup. SQLite itself waits by blocking the process. Then nothing else goes on, leases run
 * out, and a leader looks dead. So here it never waits, and the write is tried again by timers.
 */

import { type Clock, pause, systemClock } from "@stock-bazaar/shared/clock";
import type { SqliteClient } from "./connection.ts";
import { sqliteCode } from "./failures.ts";

const retryFirstMs = 1;
const retryMaxMs = 20;

export interface Patience {
  readonly clock: Clock;
  /** How long a write is tried again, from its first try. */
  readonly patienceMs: number;
}

export const defaultPatience: Patience = { clock: systemClock, patienceMs: 500 };

/** From now on a lock that another process holds fails a call at once. */
export function neverWait(client: SqliteClient): void {
  client.pragma("busy_timeout = 0");
}

/**
 * Writes in the order in which they are asked for: of two that wait, the second must not be overwritten by the first. What
 * nothing is in the way of is done before `run` returns.
 */
export class PatientWriter {
  readonly #patience: Patience;
  /** Resolves when nothing that was asked for before waits any more; `undefined`: nothing waits. */
  #turn: Promise<void> | undefined;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Rejects with what the last try threw. Anything but a lock is passed on at once. */
  run<Result>(write: () => Result): Promise<Result> {
    const { clock, patienceMs } = this.#patience;
    if (this.#turn === undefined) {
      try {
        return Promise.resolve(write());
      } catch (error) {
        if (!isBusy(error)) return Promise.reject(error);
      }
    }
    const endMs = clock.nowMs() + patienceMs;
    const written = (this.#turn ?? pause(clock, retryFirstMs)).then(() => this.#retry(write, endMs));
    const turn: Promise<void> = written.then(
      () => this.#done(turn),
      () => this.#done(turn),
    );
    this.#turn = turn;
    return written;
  }

  async #retry<Result>(write: () => Result, endMs: number): Promise<Result> {
    const { clock } = this.#patience;
    for (let delayMs = retryFirstMs; ; delayMs = Math.min(delayMs * 2, retryMaxMs)) {
      try {
        return write();
      } catch (error) {
        if (!isBusy(error) || clock.nowMs() + delayMs > endMs) throw error;
      }
      await pause(clock, delayMs);
    }
  }

  #done(turn: Promise<void>): void {
    if (this.#turn === turn) this.#turn = undefined;
  }
}

function isBusy(error: unknown): boolean {
  return sqliteCode(error).startsWith("SQLITE_BUSY");
}
