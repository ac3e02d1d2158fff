/**
 * Serves the app on a socket, and stops without losing a request.
 *
 * What Bun 1.4.5 does by itself, before a request reaches the app and so with replies of its own:
 * - More than 16 KiB of URL and headers together, or 300 headers, get a 431. A stock name of 10 kB in a URL passes.
 * - Malformed HTTP, a missing Host, a bad Content-Length, Content-Length together with chunks, and a bad chunk get a
 *   400; an unknown version and an unencoded byte in the path get a 505. After an unknown method (`BREW`, also `get`),
 *   Bun closes the connection without a reply.
 * - `Expect: 100-continue` gets a 100, but only in lower case. `100-Continue` means the same and gets none: the client
 *   waits for a timeout of its own (curl: one second), sends its body, and gets its reply. The app receives the request
 *   in either case, but Bun offers no way to send a 100. Unknown expectations are ignored.
 * - A HEAD whose reply has no body gets `content-length: 0`. That would be wrong for a stream, whose length is unknown:
 *   `transfer-encoding: chunked`, which GET would have, keeps Bun from adding it (`http/reply.ts`).
 * - Bytes after a complete body that aren't a request (a line break, a trailer) get a 400, which replaces the reply to
 *   the request before them.
 * - A body that the app doesn't read is discarded as it arrives, or left on the wire; it isn't collected in memory.
 * - If a request arrives before the previous one on its connection is answered (HTTP pipelining, which no browser and
 *   no common client uses), Bun closes the connection without a reply.
 * - `maxRequestBodySize` causes a 413 with Bun's text. It is off, because the app has its own limit and text.
 * - With TLS it takes no new certificate while it runs (`reload` ignores it), and resets a connection that speaks plain
 *   HTTP.
 * - `stop` closes idle connections at once. A request that is on its way then meets a closed connection.
 * - With `reusePort` (Linux), new connections are spread over the processes that listen. Those that one hasn't accepted when
 *   it stops to listen are reset, unless another one takes all new ones before (`take-connections.ts`).
 * - `idleTimeout` closes a connection on which nothing moves, also one that waits for its reply, and one whose client
 *   doesn't read it. It is coarse: up to four seconds late. It takes whole seconds, at most 255.
 * - A request head must be complete within 12 seconds, with any `idleTimeout`, 0 included, however its bytes arrive.
 * - A body of ours, which has 64 KiB at most, must be complete within `idleTimeout`. Only a quick sender gets longer: with a
 *   value of 90, one of 4 kB/s was cut off after 92 seconds; with 5, one of 18 kB/s after 24, one of 40 kB/s not.
 * - Nothing limits the number of connections, and Bun retries without a pause to accept one for which the process has no
 *   file descriptor left (`process/descriptors.ts`). `stop(false)` refuses new connections, closes idle ones, and lets the
 *   others end after their reply; those on which nothing was sent yet stay. A new server may then use the port.
 */

import { addressText, type ListenAddress, withoutBrackets } from "@stock-bazaar/process/addresses";
import { type DescriptorWatch, watchDescriptors } from "@stock-bazaar/process/descriptors";
import { listenError } from "@stock-bazaar/process/listen-error";
import type { Logger } from "@stock-bazaar/process/log";
import type { CertificateTexts } from "@stock-bazaar/process/tls-files";
import type { Hono } from "hono";
import type { Connection } from "./http/connection.ts";
import { operationsOutage } from "./http/failures.ts";

/** A reply may leave a moment after the request timeout: the connection must still be open then. */
const idleGraceSeconds = 5;
/** The largest `idleTimeout` that Bun accepts. */
const idleSecondsMax = 255;

export interface ListenOptions {
  readonly logger: Logger;
  /** The limit of one HTTP request with all its retries. */
  readonly requestTimeoutMs: number;
  /** How long an idle connection stays open; longer if a request may take longer. */
  readonly keepAliveTimeoutMs: number;
  /** Finds a client's address behind proxies, from headers and the address of the connection. Default: the latter. */
  readonly addressBehind?: (headers: Headers, peer: string) => string;
  /** Default: plain HTTP. */
  readonly https?: CertificateTexts | undefined;
  /** Whether other processes of this user that say the same may listen on the port at the same time. Default: no. */
  readonly sharesPort?: boolean;
  /** When it aborts, every reply asks its client to close the connection. Default: never. */
  readonly draining?: AbortSignal;
  /** If present, connections are refused while file descriptors run out. */
  readonly descriptors?: DescriptorWatch;
}

export interface Listening {
  /** The address that it listens on, like `http://127.0.0.1:8080`; of HTTPS if it serves that. */
  readonly url: string;
  /** The chosen port if 0 was requested. */
  readonly port: number;
  /** Accepts no more requests. Resolves when those accepted are answered, at the latest after the request timeout. */
  stop(): Promise<void>;
}

/** Throws a ConfigError if it can't listen on the address. */
export function listen(app: Hono, address: ListenAddress, options: ListenOptions): Listening {
  const { logger, requestTimeoutMs, keepAliveTimeoutMs, https } = options;
  const keepAliveSeconds = Math.ceil(keepAliveTimeoutMs / 1000);
  const idleSeconds = Math.max(keepAliveSeconds, Math.ceil(requestTimeoutMs / 1000) + idleGraceSeconds);
  let persistence: Connection["persistence"] = ["keep-alive", `timeout=${keepAliveSeconds}`];
  options.draining?.addEventListener("abort", () => {
    persistence = ["connection", "close"];
  });
  /** Each server has its own connection, whose headers are reused from one reply to the next. */
  const open = (port: number) => {
    const connection: Connection = {
      get persistence() {
        return persistence;
      },
      addressOf(request) {
        const peer = opened.requestIP(request)?.address;
        return peer === undefined ? undefined : (options.addressBehind?.(request.headers, peer) ?? peer);
      },
      endSoon: (request) => opened.timeout(request, 1),
    };
    const opened = startServer({ ...address, port }, options.sharesPort ?? false, {
      fetch: (request) => app.fetch(request, connection),
      // 0 means never: then only the client, or the end of the process, closes a connection.
      idleTimeout: idleSeconds > idleSecondsMax ? 0 : idleSeconds,
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      ...(https && { tls: { cert: https.certificate, key: https.key } }),
      error(thrown) {
        logger.error({ err: thrown }, "request failed outside the app");
        return operationsOutage.internal.toResponse(Bun.randomUUIDv7(), connection);
      },
    });
    return opened;
  };
  let server = open(address.port);
  const port = server.port ?? address.port;
  /** Servers that accept no more connections while some of theirs are open. */
  const shut = new Set<ReturnType<typeof open>>();
  const endWatch = options.descriptors
    ? watchDescriptors(
        {
          shut() {
            const old = server;
            shut.add(old);
            void old.stop(false).then(() => shut.delete(old));
          },
          open: () => void (server = open(port)),
        },
        options.descriptors,
      )
    : () => {};
  return {
    url: `${https ? "https" : "http"}://${addressText({ ...address, port })}`,
    port,
    async stop() {
      endWatch();
      const servers = [server, ...shut];
      // Bun closes idle connections at once, and the others with their reply. Only a client that never finishes its
      // body could delay this.
      const late = setTimeout(() => {
        for (const each of servers) void each.stop(true);
      }, requestTimeoutMs);
      await Promise.all(servers.map((each) => each.stop(false)));
      clearTimeout(late);
    },
  };
}

interface Handlers {
  fetch(request: Request): Response | Promise<Response>;
  error(thrown: Error): Response;
  idleTimeout: number;
  maxRequestBodySize: number;
  tls?: { readonly cert: string; readonly key: string };
}

function startServer(address: ListenAddress, reusePort: boolean, handlers: Handlers) {
  const hostname = withoutBrackets(address.host);
  try {
    // With `development: false` alone, Bun would share the port with a process that already listens on it: each of them
    // would receive a part of the requests.
    return Bun.serve({ ...handlers, hostname, port: address.port, development: false, reusePort });
  } catch (thrown) {
    throw listenError(address, thrown);
  }
}
