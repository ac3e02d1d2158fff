/**
 * What a route answers, as a value. It becomes a Response in one place and in one construction, so no reply
 * can leave without `content-type`, `content-length` and `x-request-id`, and the replies that never change
 * are rendered once, not once per request.
 */

import { requestIdHeader } from "@stock-bazaar/contract/headers";
import type { Connection } from "./connection.ts";

export type ReplyHeaders = Readonly<Record<string, string>>;

export const jsonType = "application/json";
export const textType = "text/plain; charset=utf-8";

const keepAliveHeader = "keep-alive";

/** For every reply without headers of its own; all that they hold is set for each. */
const sharedHeaders = new Headers();

/** Sets what every reply has, but for its request's id. */
function setUsual(
  headers: Headers,
  { contentType, contentLength }: Reply,
  connection: Connection | undefined,
): Headers {
  headers.set("content-type", contentType);
  headers.set("content-length", contentLength);
  if (connection === undefined) headers.delete(keepAliveHeader);
  else headers.set(keepAliveHeader, connection.keepAlive);
  return headers;
}

export class Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** The bytes of `body` in UTF-8: also of a 304, where it tells the length of what wasn't sent. */
  readonly contentLength: string;
  readonly headers: ReplyHeaders | undefined;
  /** `headers`, with those that every reply has, as they were sent last. */
  #sentHeaders: Headers | undefined;
  #sentOver: Connection | undefined;

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

  /** 304, for a client that has this very body already. */
  notModified(): Reply {
    return new Reply(304, this.contentType, this.body, this.headers, this.contentLength);
  }

  /** Without a connection the reply has no headers that tell of one. */
  toResponse(requestId: string, connection?: Connection): Response {
    // A Response copies them, and copies a `Headers` faster than it reads an object: a cached lookup takes a tenth less.
    const headers =
      this.headers === undefined ? setUsual(sharedHeaders, this, connection) : this.#headersFor(connection);
    headers.set(requestIdHeader, requestId);
    return new Response(this.status === 304 ? null : this.body, { status: this.status, headers });
  }

  /** Kept from one sending to the next: what is cached is sent often, and all over one server's connections. */
  #headersFor(connection: Connection | undefined): Headers {
    if (this.#sentHeaders === undefined || this.#sentOver !== connection) {
      this.#sentHeaders = setUsual(new Headers(this.headers), this, connection);
      this.#sentOver = connection;
    }
    return this.#sentHeaders;
  }
}

/** A success: `value` is the whole body, with its `data`. */
export function json(value: object, headers?: ReplyHeaders): Reply {
  return new Reply(200, jsonType, JSON.stringify(value), headers);
}

/** A reply that is made while it is sent. Its length isn't known, so it is the one that tells none. */
export class StreamReply extends Reply {
  readonly #stream: ReadableStream<Uint8Array> | null;
  /** Is told why the reply can't be finished. Its status has been sent: the client sees only that it ends too early. */
  broken: (error: unknown) => void = () => {};

  /** `null`: nobody wants the body (HEAD). */
  constructor(contentType: string, stream: ReadableStream<Uint8Array> | null, headers: ReplyHeaders = {}) {
    super(200, contentType, "", headers);
    this.#stream = stream;
  }

  override toResponse(requestId: string, connection?: Connection): Response {
    const headers = new Headers({ "content-type": this.contentType, [requestIdHeader]: requestId, ...this.headers });
    if (connection !== undefined) {
      headers.set(keepAliveHeader, connection.keepAlive);
      // As GET would have it. Without it Bun adds `content-length: 0`.
      if (this.#stream === null) headers.set("transfer-encoding", "chunked");
    }
    return new Response(this.#stream, { status: this.status, headers });
  }
}

export function text(body: string): Reply {
  return new Reply(200, textType, body);
}
