/**
 * One keep-alive connection of one client, on Node's own HTTP client. That one reads whatever a proxy may send: chunks,
 * a body that ends with the connection, HTTP/1.0, informational replies. This never repeats a request by itself, so a
 * request that the server loses rejects, and it ignores the proxy variables of the environment. (`fetch` silently
 * repeats some requests, and obeys `http_proxy`.)
 */

import { Agent, type ClientRequest, type IncomingMessage, request as sendPlainRequest } from "node:http";
import { Agent as SecureAgent, request as sendSecureRequest } from "node:https";
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { withoutBrackets } from "@stock-bazaar/process/addresses";
import { clientTokenHeaders } from "@stock-bazaar/process/client-token";
import { httpsTrust } from "@stock-bazaar/process/https-trust";

export interface HttpReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface Connection {
  request(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<HttpReply>;
  /** Abandons a request in flight. */
  close(): void;
}

/** The connection could not be made, so nothing was sent. */
export class NoConnectionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NoConnectionError";
  }
}

/** Where a connection goes. */
export interface Target {
  readonly isSecure: boolean;
  /** The value of the `host` header: with the port, if it isn't the usual one. */
  readonly authority: string;
  /** The host to connect to; an IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
}

export function targetOf(url: string): Target {
  const { protocol, host, hostname, port } = new URL(url);
  const isSecure = protocol === "https:";
  return { isSecure, authority: host, host: withoutBrackets(hostname), port: Number(port || (isSecure ? 443 : 80)) };
}

/** Decoders by the names of `content-encoding`. The client requests none, but a proxy may still encode. */
const decoders: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

export class HttpConnection implements Connection {
  readonly #target: Target;
  readonly #patienceMs: number | undefined;
  /** Keeps the one connection open. */
  readonly #agent: Agent;
  readonly #tokenHeaders = clientTokenHeaders();
  #current: ClientRequest | undefined;

  /**
   * `patienceMs` is how long to wait for a reply; default: no limit, so that a frozen process can resume and answer.
   */
  constructor(url: string, patienceMs?: number) {
    this.#patienceMs = patienceMs;
    this.#target = targetOf(url);
    const kept = { keepAlive: true, maxSockets: 1 };
    this.#agent = this.#target.isSecure ? new SecureAgent({ ...kept, ...httpsTrust() }) : new Agent(kept);
  }

  /**
   * Sends one request; only one can be in flight. Rejects with NoConnectionError if the connection can't be made, and
   * with another error if it is lost before the reply is complete.
   */
  request(method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): Promise<HttpReply> {
    if (this.#current) throw new Error("only one request may be in flight (another one is)");
    const { isSecure, authority, host, port } = this.#target;
    const sendRequest = isSecure ? sendSecureRequest : sendPlainRequest;
    const sent = sendRequest({
      agent: this.#agent,
      host,
      port,
      method,
      path,
      headers: { host: authority, ...this.#tokenHeaders, ...headers, ...(method === "POST" && bodyHeaders(body)) },
    });
    this.#current = sent;
    const reply = receive(sent, isSecure).finally(() => {
      this.#current = undefined;
    });
    sent.end(body);
    if (this.#patienceMs === undefined) return reply;
    const late = setTimeout(() => sent.destroy(new Error(`no reply within ${this.#patienceMs} ms`)), this.#patienceMs);
    return reply.finally(() => clearTimeout(late));
  }

  close(): void {
    this.#current?.destroy(new Error("closed"));
    this.#agent.destroy();
  }
}

function bodyHeaders(body: string): Readonly<Record<string, string | number>> {
  return { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
}

function receive(sent: ClientRequest, isSecure: boolean): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const lost = (error: Error) => reject(connected ? explain(error) : new NoConnectionError(error.message));
    sent.on("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once(isSecure ? "secureConnect" : "connect", () => (connected = true));
    });
    sent.on("error", lost);
    sent.on("response", (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", lost);
      reply.on("end", () => {
        // Rejects if the body can't be decoded.
        resolve(Promise.try(() => read(reply, chunks)));
      });
    });
  });
}

function read(reply: IncomingMessage, chunks: readonly Buffer[]): HttpReply {
  return { status: reply.statusCode ?? 0, headers: headersOf(reply), text: decode(reply, chunks) };
}

/** Joins several values of one name with commas, as HTTP defines it. */
function headersOf({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

/** Decodes the body; the encoding that was applied last is undone first. */
function decode({ headers }: IncomingMessage, chunks: readonly Buffer[]): string {
  let body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  const names = (headers["content-encoding"] ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of names.filter((each) => each !== "" && each !== "identity").toReversed()) {
    const undo = decoders[name];
    if (undo === undefined)
      throw new Error(`content-encoding must be one of ${Object.keys(decoders).join(", ")} (got "${name}")`);
    if (body.length === 0) continue;
    try {
      body = undo(body);
    } catch (error) {
      throw new Error(`the body must be valid ${name}: ${String(error)}`, { cause: error });
    }
  }
  return body.toString("utf8");
}

/** Replaces Node's messages for the most frequent errors, which are hard to understand. */
function explain(error: Error & { readonly code?: unknown; readonly rawPacket?: unknown }): Error {
  if (error.message === "socket hang up" || error.message === "aborted")
    return new Error("the server closed the connection");
  if (typeof error.code !== "string" || !error.code.startsWith("HPE_")) return error;
  const [firstLine = ""] = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString("latin1").split("\r\n") : [];
  return new Error(`the reply must be HTTP/1.1 (got "${firstLine.slice(0, 40)}": ${error.message})`);
}
