/** Warns of a certificate that expires within two weeks, at most once a day. */

import type { Logger } from "./log.ts";

export const dayMs = 86_400_000;
const aheadMs = 14 * dayMs;

export class ExpiryWarning {
  readonly #what: string;
  readonly #logger: Pick<Logger, "warn">;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `what` begins the warning, like "the certificate in TLS_CERT". */
  constructor(what: string, logger: Pick<Logger, "warn">) {
    this.#what = what;
    this.#logger = logger;
  }

  /** Both are times of the wall clock, in milliseconds since 1970. */
  look(nowMs: number, expiresMs: number): void {
    if (nowMs < expiresMs - aheadMs || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + dayMs;
    const ends = expiresMs > nowMs ? "expires soon" : "has expired";
    const until = new Date(expiresMs).toISOString();
    this.#logger.warn({ until }, `${this.#what} ${ends}: replace it, no connection is made after that time`);
  }
}
