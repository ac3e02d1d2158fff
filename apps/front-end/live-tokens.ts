/**
 * The tokens of now: read when the front-end starts, again on SIGHUP, and when the file changes.
 *
 * A file that has become wrong, or is gone, changes nothing: the tokens that were read last stay. Otherwise a slip in an
 * editor would lock every client out, or let everyone in.
 */

import { statSync } from "node:fs";
import type { Logger } from "@stock-bazaar/process/log";
import { readTokenFile } from "@stock-bazaar/process/token-file";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { Tokens } from "./http/tokens.ts";

/** How soon a revoked token is refused. */
const lookIntervalMs = 1000;

export class LiveTokens {
  readonly #path: string;
  readonly #logger: Logger;
  #tokens: Tokens;
  /** The problem that was logged last; empty after a success. */
  #problem = "";
  readonly #timer: NodeJS.Timeout;
  /** The file that was read last, without its content. */
  #version: string;

  /** Throws a ConfigError if the file is wrong. */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#version = versionOf(path);
    this.#tokens = this.#read();
    // Looks at the path, and so notices a new file in place of the old one, also on a network disk.
    this.#timer = setInterval(() => {
      if (versionOf(path) !== this.#version) this.reload();
    }, lookIntervalMs);
    this.#timer.unref();
  }

  get current(): Tokens {
    return this.#tokens;
  }

  reload(): void {
    // Before the file is read: a change meanwhile is noticed at the next look.
    this.#version = versionOf(this.#path);
    try {
      this.#tokens = this.#read();
      this.#problem = "";
    } catch (error) {
      const { message } = BazaarError.from(error);
      if (message === this.#problem) return;
      this.#problem = message;
      this.#logger.error({ problem: message }, "the tokens stay as they were: their file is wrong");
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #read(): Tokens {
    const file = readTokenFile(this.#path);
    this.#logger.info({ tokens: file.tokens.length, anonymous: file.anonymous }, "tokens read");
    return new Tokens(file);
  }
}

/** Differs once the file has changed. */
function versionOf(path: string): string {
  try {
    const { ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
  } catch (error) {
    return String(error);
  }
}
