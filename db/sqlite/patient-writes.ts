/**
 * Retries writes while another process holds a database's write lock: a `sqlite3` left open in a transaction, a
 * migration, a backup.
 *
 * SQLite's own wait blocks the process. Then nothing else runs, leases expire, and a leader looks dead. So here SQLite
 * never waits, and timers retry the write.
 */

import { type Clock, pause, systemClock } from "@stock-bazaar/shared/clock";
import type { SqliteClient } from "./connection.ts";
import { sqliteCode } from "./failures.ts";

const retryFirstMs = 1;
const retryMaxMs = 20;

export interface Patience {
  readonly clock: Clock;
  /** How long a write is retried, counted from its first try. */
  readonly patienceMs: number;
}

export const defaultPatience: Patience = { clock: systemClock, patienceMs: 500 };

/** From now on a call fails at once if another process holds the lock. */
export function neverWait(client: SqliteClient): void {
  client.pragma("busy_timeout = 0");
}

/**
 * Runs writes in the order of their calls: of two that wait, the first must not overwrite the second.
 *
 * A write that nothing blocks is done before `run` returns.
 */
export class PatientWriter {
  readonly #patience: Patience;
  /** Resolves when no earlier write waits any more; `undefined` if none waits. */
  #turn: Promise<void> | undefined;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Rejects with the error of the last try. Any error other than a lock rejects at once. */
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
