/**
 * One keep-alive connection of one client, over Node's own HTTP client, which reads whatever a proxy may have made of a
 * reply: chunks, a body that ends with the connection, HTTP/1.0, replies before the reply. It never repeats a request by
 * itself, so a request that the server loses is seen as lost, and it uses no proxy of the environment. (`fetch` quietly
 * sends some requests again, and obeys `http_proxy`.)
 */

import { Agent, type ClientRequest, type IncomingMessage, request as sendRequest } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { withoutBrackets } from "@stock-bazaar/process/addresses";

export interface HttpReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface Connection {
  request(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string): Promise<HttpReply>;
  /** A request that is under way is given up. */
  close(): void;
}

/** Nobody could be reached: nothing was sent. */
export class NoConnectionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NoConnectionError";
  }
}

/** Whom a connection goes to. */
export interface Target {
  /** As the server is to read it: with the port, if it isn't 80. */
  readonly authority: string;
  /** What to connect to: an IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
}

export function targetOf(url: string): Target {
  const { host, hostname, port } = new URL(url);
  return { authority: host, host: withoutBrackets(hostname), port: Number(port || 80) };
}

/** By the names of `content-encoding`. None is asked for, but a proxy may think otherwise. */
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
  /** Keeps the one connection. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #current: ClientRequest | undefined;

  /** `patienceMs`: how long to wait for a reply; default: for ever, as a frozen process is meant to wake up. */
  constructor(url: string, patienceMs?: number) {
    this.#patienceMs = patienceMs;
    this.#target = targetOf(url);
  }

  /**
   * Rejects with NoConnectionError when the connection can't be made, with another error when it is lost before the reply
   * is complete. One request at a time.
   */
  request(method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): Promise<HttpReply> {
    if (this.#current) throw new Error("a request is under way");
    const { authority, host, port } = this.#target;
    const sent = sendRequest({
      agent: this.#agent,
      host,
      port,
      method,
      path,
      headers: { host: authority, ...headers, ...(method === "POST" && bodyHeaders(body)) },
    });
    this.#current = sent;
    const reply = receive(sent).finally(() => {
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

function receive(sent: ClientRequest): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const lost = (error: Error) => reject(connected ? explain(error) : new NoConnectionError(error.message));
    sent.on("socket", (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once("connect", () => (connected = true));
    });
    sent.on("error", lost);
    sent.on("response", (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("error", lost);
      reply.on("end", () => {
        // What can't be decoded rejects.
        resolve(Promise.try(() => read(reply, chunks)));
      });
    });
  });
}

function read(reply: IncomingMessage, chunks: readonly Buffer[]): HttpReply {
  return { status: reply.statusCode ?? 0, headers: headersOf(reply), text: decode(reply, chunks) };
}

/** Several values of one name are joined, as HTTP has it. */
function headersOf({ headers }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

/** The last encoding that was applied is the first to be undone. */
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
      throw new Error(`the body can't be read as ${name}: ${String(error)}`, { cause: error });
    }
  }
  return body.toString("utf8");
}

/** Node's words for what happens most are no help. */
function explain(error: Error & { readonly code?: unknown; readonly rawPacket?: unknown }): Error {
  if (error.message === "socket hang up" || error.message === "aborted")
    return new Error("the server closed the connection");
  if (typeof error.code !== "string" || !error.code.startsWith("HPE_")) return error;
  const [firstLine = ""] = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString("latin1").split("\r\n") : [];
  return new Error(`${firstLine.slice(0, 40)}: not HTTP/1.1 (${error.message})`);
}
