/**
 * A kept connection: requests one after the other over HTTP/1.1, as the clients of the earlier systems send them. Each
 * reply is read to its end, as bytes left unread would become part of the next reply.
 */

import { createConnection, type Socket } from "node:net";

export interface KeptReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface KeptRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class KeptConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  #arrived = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#arrived();
    });
    socket.on("close", () => {
      this.#isOver = true;
      this.#arrived();
    });
  }

  static open(url: string): Promise<KeptConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: hostname, port: Number(port) }, () =>
        resolve(new KeptConnection(socket)),
      );
      socket.once("error", reject);
    });
  }

  async send({ method, path, headers = {}, body = "" }: KeptRequest): Promise<KeptReply> {
    const sent = { host: "bazaar", ...headers };
    const lines = [`${method} ${path} HTTP/1.1`, ...Object.entries(sent).map(([name, value]) => `${name}: ${value}`)];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    const head = (await this.#takeUntil("\r\n\r\n")).split("\r\n");
    const status = Number(head[0]?.split(" ")[1]);
    const received = new Map(
      head.slice(1).map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const text = await this.#take(Number(received.get("content-length")));
    return { status, headers: received, text };
  }

  /** Sends a POST with JSON. */
  post(path: string, value: unknown): Promise<KeptReply> {
    const body = JSON.stringify(value);
    const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
    return this.send({ method: "POST", path, headers, body });
  }

  get(path: string): Promise<KeptReply> {
    return this.send({ method: "GET", path });
  }

  close(): void {
    this.#socket.destroy();
  }

  async #takeUntil(end: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(end);
      if (at >= 0) {
        const text = this.#received.subarray(0, at).toString();
        this.#received = this.#received.subarray(at + end.length);
        return text;
      }
      await this.#more();
    }
  }

  async #take(bytes: number): Promise<string> {
    while (this.#received.length < bytes) await this.#more();
    const text = this.#received.subarray(0, bytes).toString();
    this.#received = this.#received.subarray(bytes);
    return text;
  }

  async #more(): Promise<void> {
    if (this.#isOver) throw new Error("the connection was closed");
    await new Promise<void>((resolve) => (this.#arrived = resolve));
  }
}
