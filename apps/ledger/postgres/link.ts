/** A connection that is opened when it is needed, and again after it was lost. */

import type { Connect, Connection } from "./connection.ts";
import type { ConnectionUse } from "./connection-use.ts";

export class Link {
  readonly #connect: Connect;
  readonly #use: ConnectionUse;
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(connect: Connect, use: ConnectionUse) {
    this.#connect = connect;
    this.#use = use;
  }

  /** The open connection. Rejects like `connect`; calls at the same time share one attempt. */
  connection(): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(new Error("Client was closed"));
    if (this.#connection && !this.#connection.isLost) return Promise.resolve(this.#connection);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** Throws the connection away, with the queries on it. */
  renew(): void {
    this.#connection?.abandon();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => {});
    await this.#connection?.close().catch(() => {});
  }

  async #open(): Promise<Connection> {
    this.#connection = await this.#connect(this.#use);
    return this.#connection;
  }
}
