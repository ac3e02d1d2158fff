/** Clients that ask for orders which somebody was told of (I7), and the record of what they heard. */

import { at } from "./client.ts";
import { HttpConnection } from "./http-connection.ts";
import { isOutcome, isUnknown, type TradeRecord } from "./trading-client.ts";

export interface QueryRecord {
  readonly orderNumber: number;
  /** 0: the connection was lost. */
  readonly status: number;
  /** What the reply says, other than it should. Only with status 200. */
  readonly wrong: string | undefined;
  readonly url: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface OrderQueriesOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly pauseMs: number;
}

const retryMs = 20;
/** A query that gets no answer is asked again elsewhere this often before it is given up. */
const attemptsMax = 200;
const patienceMs = 5000;

export class OrderQueries {
  readonly #options: OrderQueriesOptions;
  readonly #acknowledged: TradeRecord[] = [];
  readonly #records: QueryRecord[] = [];
  readonly #connections: HttpConnection[] = [];
  readonly #running: Promise<void>[];
  #stopping = false;

  /** Starts at once, and waits for the first order that it is told of. */
  constructor(options: OrderQueriesOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.clients }, (_, index) => this.#run(index));
  }

  get records(): readonly QueryRecord[] {
    return this.#records;
  }

  /** An order that may be asked for from now on. */
  acknowledged(record: TradeRecord): void {
    if (isOutcome(record.status, record.reason) && record.orderNumber !== undefined) this.#acknowledged.push(record);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Queries that are under way are given up. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#running);
  }

  async #run(index: number): Promise<void> {
    const { urls, random, pauseMs } = this.#options;
    const url = urls[index % urls.length] ?? "";
    const connection = new HttpConnection(url, patienceMs);
    this.#connections.push(connection);
    for (let turn = index; !this.#stopping; turn += 1) {
      const known = this.#acknowledged.length;
      // Every other time one of the newest: they are where a replica may be behind.
      const age = Math.floor(random() * (turn % 2 === 0 ? known : Math.min(known, 20)));
      const record = this.#acknowledged[known - 1 - age];
      if (record) this.#records.push(await ask(connection, url, record));
      await Bun.sleep(pauseMs);
    }
    connection.close();
  }
}

/** Asks for every one of these orders, over a few connections, until each has an answer. */
export async function queryAll(
  urls: readonly string[],
  records: readonly TradeRecord[],
  connections: number,
): Promise<QueryRecord[]> {
  const waiting = [...records];
  const found: QueryRecord[] = [];
  const lane = async (index: number) => {
    let at = index;
    let connection = new HttpConnection(urls[at % urls.length] ?? "", patienceMs);
    for (let record = waiting.pop(); record; record = waiting.pop()) {
      for (let attempts = 1; ; attempts += 1) {
        const query = await ask(connection, urls[at % urls.length] ?? "", record);
        if (!isUnknown(query.status) || attempts === attemptsMax) {
          found.push(query);
          break;
        }
        connection.close();
        at += 1;
        connection = new HttpConnection(urls[at % urls.length] ?? "", patienceMs);
        await Bun.sleep(retryMs);
      }
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => lane(index)));
  return found;
}

async function ask(connection: HttpConnection, url: string, told: TradeRecord): Promise<QueryRecord> {
  const orderNumber = told.orderNumber ?? 0;
  const startMs = performance.now();
  try {
    const { status, text } = await connection.request("GET", `/orders/${orderNumber}`, {});
    const { name, type, quantity } = told.request;
    const data = at(JSON.parse(text), "data");
    const isRight =
      at(data, "number") === orderNumber &&
      at(data, "name") === name &&
      at(data, "type") === type &&
      at(data, "quantity") === quantity;
    const wrong = status === 200 && !isRight ? text : undefined;
    return { orderNumber, status, wrong, url, startMs, endMs: performance.now() };
  } catch {
    return { orderNumber, status: 0, wrong: undefined, url, startMs, endMs: performance.now() };
  }
}
