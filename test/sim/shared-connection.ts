/** A connection of a simulated catalog to the simulated server, with the deadlines and errors of pg. */

import {
  type Connection,
  type Result,
  type Statement,
  UnreachableServer,
  type Value,
} from "@stock-bazaar/ledger/postgres/connection";
import type { ConnectionUse } from "@stock-bazaar/ledger/postgres/connection-use";
import type { Stream } from "@stock-bazaar/shared/api";
import type { Caller, Network } from "./network.ts";
import type { Host } from "./process.ts";
import type { Answer, Sent, SharedServer } from "./shared-server.ts";

const connectMsMax = 2000;

interface Pending {
  readonly settle: (result: Result<object> | Error) => void;
}

/** `pace` shortens all limits, those of the server too. */
export function connectShared(
  network: Network,
  host: Host<SharedServer>,
  caller: Caller,
  pace: number,
  use: ConnectionUse,
): Promise<Connection> {
  const limit = (name: string) => Number(use.settings[name]) * pace;
  const limits = {
    name: String(use.settings["application_name"]),
    lockMs: limit("lock_timeout"),
    idleMs: limit("idle_in_transaction_session_timeout"),
    transactionMs: limit("transaction_timeout"),
  };
  return new Promise((resolve, reject) => {
    const connection = new SharedConnection(caller, use.queryMsMax * pace);
    const cancel = caller.life.clock.after(connectMsMax * pace, () => {
      connection.abandon();
      reject(new UnreachableServer("timeout expired"));
    });
    connection.stream = network.open<SharedServer, Sent, Answer>(
      caller,
      host,
      (server, handlers) => server.open(caller.name, limits, handlers),
      {
        message(answer) {
          cancel();
          if (answer.number === 0) resolve(connection);
          else connection.answered(answer);
        },
        ended() {
          cancel();
          connection.lost(new Error("Connection terminated unexpectedly"));
          reject(new UnreachableServer("Connection terminated unexpectedly"));
        },
      },
    );
  });
}

class SharedConnection implements Connection {
  stream: Stream<Sent> | undefined;
  readonly #caller: Caller;
  readonly #queryMsMax: number;
  readonly #pending = new Map<number, Pending>();
  #number = 0;
  #answered = 0;
  #isLost = false;

  constructor(caller: Caller, queryMsMax: number) {
    this.#caller = caller;
    this.#queryMsMax = queryMsMax;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  query<Row extends object>({ text }: Statement, values: readonly Value[] = []): Promise<Result<Row>> {
    if (this.#isLost) return Promise.reject(new Error("Connection terminated"));
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      const cancel = this.#caller.life.clock.after(this.#queryMsMax, () => {
        this.#pending.delete(number);
        reject(new Error("Query read timeout"));
      });
      this.#pending.set(number, {
        settle: (result) => {
          cancel();
          this.#pending.delete(number);
          if (result instanceof Error) reject(result);
          else resolve(result as Result<Row>);
        },
      });
      this.stream?.send({ number, text, values });
    });
  }

  async run(): Promise<void> {
    throw new Error("a simulated connection runs no scripts");
  }

  answered({ number, result }: Answer): void {
    if (result instanceof Error && number < 0) return this.lost(result);
    // TCP delivers everything once and in order.
    if (number !== this.#answered + 1) return;
    this.#answered = number;
    this.#pending.get(number)?.settle(result);
  }

  lost(error: Error): void {
    this.#isLost = true;
    for (const { settle } of this.#pending.values()) settle(error);
  }

  abandon(): void {
    this.stream?.close();
    this.lost(new Error("Connection terminated"));
  }

  async close(): Promise<void> {
    if (!this.#isLost) this.abandon();
  }
}
