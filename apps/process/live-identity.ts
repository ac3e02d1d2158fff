/**
 * The TLS identity of a running service. Its files are read again every few seconds, so certificates are renewed
 * without a restart: new connections use what is in the files, open ones stay. Files that don't fit together are
 * reported and change nothing: while certificate and key are being replaced, they may not fit for a moment.
 */

import { type Clock, every } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { ExpiryWarning } from "./expiry-warning.ts";
import type { Logger } from "./log.ts";
import { loadIdentity, type TlsFiles, type TlsIdentity } from "./tls-files.ts";

export const lookMs = 2000;

export interface LiveIdentityOptions {
  readonly clock: Clock;
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
}

export class LiveIdentity {
  readonly logger: Pick<Logger, "info" | "warn" | "error">;
  readonly #files: TlsFiles;
  readonly #clock: Clock;
  readonly #listeners = new Set<(identity: TlsIdentity) => void>();
  #current: TlsIdentity;
  /** The fault at the last look. It is reported at the second look that finds it. */
  #fault: { readonly text: string; readonly isReported: boolean } | undefined;
  readonly #warning: ExpiryWarning;
  readonly #end: () => void;

  /** Throws a ConfigError if the files can't be used. */
  constructor(files: TlsFiles, { clock, logger }: LiveIdentityOptions) {
    this.#files = files;
    this.#clock = clock;
    this.logger = logger;
    this.#current = loadIdentity(files, clock.wallMs());
    this.#warning = new ExpiryWarning("the certificate in TLS_CERT, or its CA in TLS_CA,", logger);
    this.#warning.look(clock.wallMs(), this.#current.expiresMs);
    this.#end = every(clock, lookMs, () => this.#look());
  }

  get current(): TlsIdentity {
    return this.#current;
  }

  /** Calls `listener` with each identity that replaces the current one. Returns a function that ends this. */
  onChange(listener: (identity: TlsIdentity) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads the files no more. */
  end(): void {
    this.#end();
  }

  #look(): void {
    try {
      const found = loadIdentity(this.#files, this.#clock.wallMs(), this.#current);
      this.#fault = undefined;
      if (found !== this.#current) this.#replaceWith(found);
    } catch (error) {
      this.#report(BazaarError.from(error).message);
    }
    this.#warning.look(this.#clock.wallMs(), this.#current.expiresMs);
  }

  #replaceWith(found: TlsIdentity): void {
    this.#current = found;
    this.logger.info({ until: new Date(found.expiresMs).toISOString() }, "new TLS files: new connections use them");
    for (const listener of this.#listeners) listener(found);
  }

  #report(text: string): void {
    const isSecond = this.#fault?.text === text;
    if (isSecond && !this.#fault?.isReported)
      this.logger.error(`the new TLS files can't be used, the earlier ones stay in use: ${text}`);
    this.#fault = { text, isReported: isSecond };
  }
}
