/** Reads for a catalog, on one connection. A read that fails for a reason that may pass is tried again for a while. */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { forService, type Statement, type Value } from "./connection.ts";
import { postgresFailure } from "./failures.ts";
import { Link } from "./link.ts";
import { failureOf } from "./writer.ts";

const retryMs = 20;

export interface ReaderOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly patienceMs: number;
  readonly broken: (error: unknown) => void;
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #link: Link;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#link = new Link(options.url, forService);
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

  close(): Promise<void> {
    return this.#link.close();
  }

  async #once<Row extends object>(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    const connection = await this.#link.connection();
    try {
      return (await connection.query<Row>(statement, values)).rows;
    } catch (error) {
      if (postgresFailure(error) === "lost") connection.abandon();
      throw error;
    }
  }
}
