/** A TCP connection for bytes that no HTTP client would send. Bun's own sockets take a third of the time of `node:net`. */

import type { Socket } from "bun";

export class Wire {
  readonly #chunks: Buffer[] = [];
  #socket: Socket | undefined;
  #unsent = Buffer.alloc(0);
  #closed = false;
  #changed: (() => void) | undefined;

  /** Rejects if nothing listens there. */
  static async connect(port: number): Promise<Wire> {
    const wire = new Wire();
    wire.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => {
          wire.#chunks.push(Buffer.from(chunk));
          wire.#changed?.();
        },
        drain: () => wire.#flush(),
        end: (socket) => void socket.end(),
        close: () => wire.#ended(),
        error: () => wire.#ended(),
      },
    });
    return wire;
  }

  /** True when the server has closed the connection, or the client has reset it. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** All that was received since the last `forget`. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks.splice(0, this.#chunks.length, Buffer.concat(this.#chunks));
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Drops the first bytes of `received`. */
  forget(length: number): void {
    const rest = this.received.subarray(length);
    this.#chunks.length = 0;
    if (rest.length > 0) this.#chunks.push(rest);
  }

  write(latin1: string): void {
    if (this.#closed) return;
    this.#unsent = Buffer.concat([this.#unsent, Buffer.from(latin1, "latin1")]);
    this.#flush();
  }

  /** Closes the client's side. */
  end(): void {
    if (!this.#closed) this.#socket?.end();
  }

  reset(): void {
    if (!this.#closed) this.#socket?.terminate();
  }

  /** Resolves with the first value of `look` that isn't `undefined`; with `undefined` after the deadline. */
  until<Found>(look: () => Found | undefined, deadlineMs: number): Promise<Found | undefined> {
    return new Promise((resolve) => {
      const done = (found: Found | undefined) => {
        this.#changed = undefined;
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => done(undefined), deadlineMs);
      this.#changed = () => {
        const found = look();
        if (found !== undefined) done(found);
      };
      this.#changed();
    });
  }

  #flush(): void {
    if (this.#closed || this.#unsent.length === 0) return;
    const written = this.#socket?.write(this.#unsent) ?? 0;
    if (written > 0) this.#unsent = this.#unsent.subarray(written);
  }

  #ended(): void {
    this.#closed = true;
    this.#changed?.();
  }
}
