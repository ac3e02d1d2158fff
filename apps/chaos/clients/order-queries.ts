/** Clients that query acknowledged orders (I7), and the records of the replies. */

import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { type QueryRecord, queryOrder } from "@stock-bazaar/client/order-check";

export interface OrderQueriesOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  /** Returns a number from 0 (included) to 1 (excluded). */
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

  /** Starts at once and waits for the first acknowledged order. */
  constructor(options: OrderQueriesOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.clients }, (_, index) => this.#run(index));
  }

  get records(): readonly QueryRecord[] {
    return this.#records;
  }

  /** Adds an order that the clients may query from now on. */
  acknowledged(record: TradeRecord): void {
    if (isOutcome(record.status, record.reason) && record.orderNumber !== undefined) this.#acknowledged.push(record);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Stops at once; abandons queries in flight. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running);
  }

  async #run(index: number): Promise<void> {
    const { urls, random, pauseMs } = this.#options;
    // A query without an answer is recorded as such and not repeated.
    const url = urls[index % urls.length] ?? "";
    const client = new BazaarClient({ urls: [url], patienceMs, giveUpMs: 0, isLoad: true });
    this.#clients.push(client);
    for (let turn = index; !this.#stopping; turn += 1) {
      const known = this.#acknowledged.length;
      // Every other time one of the newest orders, which a replica that is behind may lack.
      const age = Math.floor(random() * (turn % 2 === 0 ? known : Math.min(known, 20)));
      const record = this.#acknowledged[known - 1 - age];
      if (record) this.#records.push(await queryOrder(client, record));
      await Bun.sleep(pauseMs);
    }
    client.close();
  }
}
