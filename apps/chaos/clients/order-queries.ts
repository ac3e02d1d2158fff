/** Clients that ask for orders which somebody was told of (I7), and the record of what they heard. */

import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { type QueryRecord, queryOrder } from "@stock-bazaar/client/order-check";

export interface OrderQueriesOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly pauseMs: number;
}

const patienceMs = 5000;

export class OrderQueries {
  readonly #options: OrderQueriesOptions;
  readonly #acknowledged: TradeRecord[] = [];
  readonly #records: QueryRecord[] = [];
  readonly #clients: BazaarClient[] = [];
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
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running);
  }

  async #run(index: number): Promise<void> {
    const { urls, random, pauseMs } = this.#options;
    // A query that gets no answer is told as that: the next one is another.
    const url = urls[index % urls.length] ?? "";
    const client = new BazaarClient({ urls: [url], patienceMs, giveUpMs: 0, isLoad: true });
    this.#clients.push(client);
    for (let turn = index; !this.#stopping; turn += 1) {
      const known = this.#acknowledged.length;
      // Every other time one of the newest: they are where a replica may be behind.
      const age = Math.floor(random() * (turn % 2 === 0 ? known : Math.min(known, 20)));
      const record = this.#acknowledged[known - 1 - age];
      if (record) this.#records.push(await queryOrder(client, record));
      await Bun.sleep(pauseMs);
    }
    client.close();
  }
}
