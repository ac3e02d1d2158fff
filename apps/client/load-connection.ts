/**
 * The keep-alive connection of a load generator. A request takes 15 µs of CPU time, with `HttpConnection` 30 µs:
 * clients that share one core would measure the difference as latency of the bazaar. It reads only what a front-end
 * itself sends, HTTP/1.1 with a content-length. It never repeats a request by itself, so a request that the server
 * loses rejects.
 */

import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { clientTokenHeaders } from "@stock-bazaar/process/client-token";
import { httpsTrust } from "@stock-bazaar/process/https-trust";
import { type Connection, type HttpReply, NoConnectionError, type Target, targetOf } from "./http-connection.ts";

/** A proxy has rewritten the reply, and only `HttpConnection` can read it. */
export class RewrittenReplyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RewrittenReplyError";
  }
}

interface Waiting {
  readonly resolve: (reply: HttpReply) => void;
  readonly reject: (error: Error) => void;
}

export class LoadConnection implements Connection {
  readonly #target: Target;
  readonly #patienceMs: number | undefined;
  /** The first lines of every request, after its own. */
  readonly #headLines: readonly string[];
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #waiting: Waiting | undefined;

  /**
   * `patienceMs` is how long to wait for a reply; default: no limit, so that a frozen process can resume and answer.
   */
  constructor(url: string, patienceMs?: number) {
    this.#patienceMs = patienceMs;
    this.#target = targetOf(url);
    const headers = { host: this.#target.authority, ...clientTokenHeaders() };
    this.#headLines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  }

  /**
   * Sends one request; only one can be in flight. Rejects with NoConnectionError if the connection can't be made, with
   * RewrittenReplyError, and with another error if the connection is lost before the reply is complete.
   */
  request(method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): Promise<HttpReply> {
    if (this.#waiting) throw new Error("only one request may be in flight (another one is)");
    const lines = [`${method} ${path} HTTP/1.1`, ...this.#headLines];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (method === "POST") lines.push("content-type: application/json", `content-length: ${Buffer.byteLength(body)}`);
    const reply = new Promise<HttpReply>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket ??= this.#connect();
      this.#socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    });
    if (this.#patienceMs === undefined) return reply;
    const late = setTimeout(() => this.#end(new Error(`no reply within ${this.#patienceMs} ms`)), this.#patienceMs);
    return reply.finally(() => clearTimeout(late));
  }

  close(): void {
    this.#end(new Error("closed"));
  }

  #end(why: Error): void {
    this.#socket?.destroy();
    this.#lost(why);
  }

  #connect(): Socket {
    const { isSecure, host, port } = this.#target;
    const socket = isSecure
      ? connectSecurely({ host, port, ...httpsTrust() }).setNoDelay(true)
      : connect({ host, port, noDelay: true });
    let connected = false;
    const lost = (why: string) => {
      if (this.#socket === socket) this.#lost(connected ? new Error(why) : new NoConnectionError(why));
    };
    socket.on(isSecure ? "secureConnect" : "connect", () => (connected = true));
    socket.on("data", (chunk: Buffer) => {
      if (this.#socket === socket) this.#take(chunk);
    });
    socket.on("error", (error) => lost(error.message));
    socket.on("end", () => {
      socket.destroy();
      lost("the server closed the connection");
    });
    socket.on("close", () => lost("the connection is closed"));
    return socket;
  }

  #lost(error: Error): void {
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const [statusLine = "", ...headerLines] = this.#received.toString("latin1", 0, headEnd).split("\r\n");
    const headers = new Map(
      headerLines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    if (!statusLine.startsWith("HTTP/")) {
      this.#end(new Error(`the reply must be HTTP (got "${statusLine.slice(0, 40)}")`));
      return;
    }
    const status = Number(/^HTTP\/1\.1 ([2-5]\d\d)/.exec(statusLine)?.[1]);
    const length = status === 304 ? 0 : Number(headers.get("content-length") ?? Number.NaN);
    const isRewritten = headers.has("transfer-encoding") || headers.has("content-encoding");
    if (Number.isNaN(status) || Number.isNaN(length) || isRewritten) {
      this.#end(
        new RewrittenReplyError(
          `the reply must be HTTP/1.1 with a content-length and a plain body (got "${statusLine.slice(0, 40)}")`,
        ),
      );
      return;
    }
    const bodyStart = headEnd + 4;
    if (this.#received.length < bodyStart + length) return;
    const text = this.#received.toString("utf8", bodyStart, bodyStart + length);
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (headers.get("connection")?.toLowerCase() === "close") {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    waiting?.resolve({ status, headers, text });
  }
}
