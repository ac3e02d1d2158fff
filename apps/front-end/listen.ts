/**
 * Puts the app on a socket, and takes it off again without losing a request.
 *
 * What Bun does by itself (1.4.5), before the app hears of a request, and so in its own words:
 * - URL and headers together over 16 KiB, or 300 headers: 431. A stock name of 10 kB in a URL passes.
 * - Malformed HTTP, a missing Host, a bad Content-Length, Content-Length beside chunks, a bad chunk: 400; an
 *   unknown version, or an unencoded byte in the path: 505. An unknown method (`BREW`, and `get`): closed without a word.
 * - `Expect: 100-continue` is answered with 100, in lower case only: for `100-Continue`, which means the same, no 100 is
 *   sent. The client waits as long as it wants to (curl: a second), sends its body, and gets its reply. The app hears of
 *   the request in either case, but Bun offers no way to send a 100. An expectation that there isn't is ignored.
 * - A HEAD whose reply has no body gets `content-length: 0`. That would be wrong for a stream, whose length isn't known:
 *   `transfer-encoding: chunked`, which GET would have, keeps Bun from adding it (`http/reply.ts`).
 * - What follows a whole body and is no request (a line break, a trailer): 400, in place of the reply to the request before.
 * - A body that nobody reads is thrown away as it arrives, or left on the wire; it isn't collected in memory.
 * - A request that comes before the one ahead of it on the same connection is answered (HTTP pipelining, which no
 *   browser and none of the common clients use): closed without a word.
 * - `maxRequestBodySize`: 413 in Bun's words. It is off, as the app has its own limit and its own words.
 * - `idleTimeout` closes a connection on which nothing moves, also one that waits for its reply; coarsely, up to
 *   four seconds late (half a request head: after 12 seconds with 5 set). It knows whole seconds, 255 at most.
 */

import { addressText, type ListenAddress, withoutBrackets } from "@stock-bazaar/process/addresses";
import { listenError } from "@stock-bazaar/process/listen-error";
import type { Logger } from "@stock-bazaar/process/log";
import type { Hono } from "hono";
import type { Connection } from "./http/connection.ts";
import { operationsOutage } from "./http/failures.ts";

/** A request is answered a moment after its timeout: its connection must not be closed before. */
const idleGraceSeconds = 5;
/** Bun's largest. */
const idleSecondsMax = 255;

export interface ListenOptions {
  readonly logger: Logger;
  /** One HTTP request with all its retries. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection stays open; longer if a request may take longer. */
  readonly keepAliveTimeoutMs: number;
}

export interface Listening {
  /** Where it listens, like `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The real one, if 0 was asked for. */
  readonly port: number;
  /** Takes no more requests; resolves when those taken in are answered, or at the latest after the request timeout. */
  stop(): Promise<void>;
}

/** Throws a ConfigError if nobody can listen there. */
export function listen(app: Hono, address: ListenAddress, options: ListenOptions): Listening {
  const { logger, requestTimeoutMs, keepAliveTimeoutMs } = options;
  const keepAliveSeconds = Math.ceil(keepAliveTimeoutMs / 1000);
  const idleSeconds = Math.max(keepAliveSeconds, Math.ceil(requestTimeoutMs / 1000) + idleGraceSeconds);
  const connection: Connection = {
    keepAlive: `timeout=${keepAliveSeconds}`,
    addressOf: (request) => server.requestIP(request)?.address,
  };
  const server = startServer(address, {
    fetch: (request) => app.fetch(request, connection),
    // 0 = never: then only the client, or the end of the process, closes a connection.
    idleTimeout: idleSeconds > idleSecondsMax ? 0 : idleSeconds,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    error(thrown) {
      logger.error({ err: thrown }, "request failed outside the app");
      return operationsOutage.internal.toResponse(Bun.randomUUIDv7(), connection);
    },
  });
  const port = server.port ?? address.port;
  return {
    url: `http://${addressText({ ...address, port })}`,
    port,
    async stop() {
      // Bun closes idle connections at once, and the others with their reply. A client that never finishes its
      // body is the only one that could hold this up.
      const late = setTimeout(() => void server.stop(true), requestTimeoutMs);
      await server.stop(false);
      clearTimeout(late);
    },
  };
}

interface Handlers {
  fetch(request: Request): Response | Promise<Response>;
  error(thrown: Error): Response;
  idleTimeout: number;
  maxRequestBodySize: number;
}

function startServer(address: ListenAddress, handlers: Handlers) {
  const hostname = withoutBrackets(address.host);
  try {
    // `development: false` alone would share the port with whoever has it, and each get a part of the requests.
    return Bun.serve({ ...handlers, hostname, port: address.port, development: false, reusePort: false });
  } catch (thrown) {
    throw listenError(address, thrown);
  }
}
