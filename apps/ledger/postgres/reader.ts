/**
 * Reads for a catalog, on one connection. A read that fails for a reason that may pass is tried again for a while. Where
 * the server may fail over, a read counts only with a proof that was sent after it on the same connection.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import type { Connect, Connection, Statement, Value } from "./connection.ts";
import { forService } from "./connection-use.ts";
import { postgresFailure } from "./failures.ts";
import { Link } from "./link.ts";
import { Proofs } from "./proofs.ts";
import { failureOf } from "./writer.ts";

const retryMs = 20;

export interface ReaderOptions {
  readonly url: string;
  readonly connect: Connect;
  readonly clock: Clock;
  readonly patienceMs: number;
  /** Proves that the server of this connection counts. Rejects like a query. Default: no proof. */
  readonly prove?: ((connection: Connection) => Promise<void>) | undefined;
  readonly broken: (error: unknown) => void;
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #link: Link;
  readonly #proofs = new WeakMap<Connection, Proofs>();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#link = new Link(options.connect, forService);
  }

  /** Rejects with STORAGE_UNAVAILABLE if the server can't be used. */
  async read<Row extends object>(statement: Statement, values: readonly Value[] = []): Promise<Row[]> {
    const { url, clock, patienceMs, broken } = this.#options;
    const endMs = clock.nowMs() + patienceMs;
    for (;;) {
      try {
        return await this.#once<Row>(statement, values);
      } catch (error) {
        const failure = postgresFailure(error);
        const mayPass = failure === "lost" || failure === "passing";
        if (!mayPass || clock.nowMs() + retryMs > endMs) throw failureOf(url, error, broken);
      }
      await pause(clock, retryMs);
    }
  }

  /** Reads go on on another connection, those that are under way too. */
  renew(): void {
    this.#link.renew();
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  async #once<Row extends object>(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    const connection = await this.#link.connection();
    try {
      const [{ rows }] = await Promise.all([connection.query<Row>(statement, values), this.#prove(connection)]);
      return rows;
    } catch (error) {
      if (postgresFailure(error) === "lost") connection.abandon();
      throw error;
    }
  }

  #prove(connection: Connection): Promise<void> {
    const { prove } = this.#options;
    if (prove === undefined) return Promise.resolve();
    const proofs = this.#proofs.get(connection) ?? new Proofs(() => prove(connection));
    this.#proofs.set(connection, proofs);
    return proofs.prove();
  }
}
