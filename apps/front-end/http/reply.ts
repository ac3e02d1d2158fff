/**
 * The reply of a route, as a value.
 *
 * It becomes a Response in one place, so no reply can lack `content-type`, `x-request-id` or, unless it is a stream,
 * `content-length`. Replies that never change are rendered once, not once per request.
 */

import { requestIdHeader } from "@stock-bazaar/contract/headers";
import type { Connection } from "./connection.ts";

export type ReplyHeaders = Readonly<Record<string, string>>;

export const jsonType = "application/json";
export const textType = "text/plain; charset=utf-8";

/** The headers that every reply has, except for `x-request-id`. Reused from one reply to the next. */
class UsualHeaders {
  readonly headers: Headers;
  readonly persistence: Connection["persistence"] | undefined;
  #contentType = "";
  #contentLength = "";

  constructor(own: ReplyHeaders | undefined, connection: Connection | undefined) {
    this.headers = new Headers(own);
    this.persistence = connection?.persistence;
    if (this.persistence !== undefined) this.headers.set(...this.persistence);
  }

  /** Sets only what differs from the reply before: to set all takes as long as to make the Response. */
  of({ contentType, contentLength }: Reply): Headers {
    if (contentType !== this.#contentType) this.headers.set("content-type", (this.#contentType = contentType));
    if (contentLength !== this.#contentLength)
      this.headers.set("content-length", (this.#contentLength = contentLength));
    return this.headers;
  }
}

/** Those of every reply without headers of its own. */
let shared = new UsualHeaders(undefined, undefined);

export class Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** The size of `body` in UTF-8, in bytes; also in a 304, which is sent without its body. */
  readonly contentLength: string;
  readonly headers: ReplyHeaders | undefined;
  /** `headers` and those that every reply has, as they were last sent. */
  #sent: UsualHeaders | undefined;

  constructor(status: number, contentType: string, body: string, headers?: ReplyHeaders, contentLength?: string) {
    this.status = status;
    this.contentType = contentType;
    this.body = body;
    this.contentLength = contentLength ?? String(Buffer.byteLength(body));
    this.headers = headers;
  }

  /** The same reply with more headers; its body isn't rendered again. */
  with(headers: ReplyHeaders): Reply {
    return new Reply(this.status, this.contentType, this.body, { ...this.headers, ...headers }, this.contentLength);
  }

  /** The same reply with another status. */
  withStatus(status: number): Reply {
    return new Reply(status, this.contentType, this.body, this.headers, this.contentLength);
  }

  /** Returns the 304 for a client that already has this body. */
  notModified(): Reply {
    return new Reply(304, this.contentType, this.body, this.headers, this.contentLength);
  }

  /** Without a connection, the reply has no `keep-alive` and no `connection`. */
  toResponse(requestId: string, connection?: Connection): Response {
    // A Response copies its headers, and a `Headers` faster than an object: a cached lookup takes a tenth less time.
    const headers = this.#headersFor(connection);
    headers.set(requestIdHeader, requestId);
    return new Response(this.status === 304 ? null : this.body, { status: this.status, headers });
  }

  /** Kept from one response to the next: cached stocks are sent often, and a server has one `Connection` for all at a time. */
  #headersFor(connection: Connection | undefined): Headers {
    if (this.headers === undefined) {
      if (shared.persistence !== connection?.persistence) shared = new UsualHeaders(undefined, connection);
      return shared.of(this);
    }
    if (this.#sent?.persistence !== connection?.persistence) this.#sent = undefined;
    this.#sent ??= new UsualHeaders(this.headers, connection);
    return this.#sent.of(this);
  }
}

/** A success: `value` is the whole body, with its `data`. */
export function json(value: object, headers?: ReplyHeaders): Reply {
  return new Reply(200, jsonType, JSON.stringify(value), headers);
}

/** A reply that is produced while it is sent. Its length is unknown, so it has no `content-length`. */
export class StreamReply extends Reply {
  readonly #stream: ReadableStream<Uint8Array> | null;
  /** Called with the error if the reply can't be finished. The status is sent by then: the client sees an early end. */
  broken: (error: unknown) => void = () => {};

  /** `stream` is `null` for a reply without its body (HEAD). */
  constructor(contentType: string, stream: ReadableStream<Uint8Array> | null, headers: ReplyHeaders = {}) {
    super(200, contentType, "", headers);
    this.#stream = stream;
  }

  override toResponse(requestId: string, connection?: Connection): Response {
    const headers = new Headers({ "content-type": this.contentType, [requestIdHeader]: requestId, ...this.headers });
    if (connection !== undefined) {
      headers.set(...connection.persistence);
      // GET would have this header. Without it, Bun adds `content-length: 0`.
      if (this.#stream === null) headers.set("transfer-encoding", "chunked");
    }
    return new Response(this.#stream, { status: this.status, headers });
  }
}

export function text(body: string): Reply {
  return new Reply(200, textType, body);
}
