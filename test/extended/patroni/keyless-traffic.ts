/** Clients that send each trade once and without a key: it gets one from the front-end, and the reply must name it. */

import { BazaarClient, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { orderNumber } from "@stock-bazaar/client/requests";
import { idempotencyKeyHeader, requestIdHeader } from "@stock-bazaar/contract/headers";

/** Always accepted: only buying can be refused. */
const trade = { name: "GameStart", type: "sell", quantity: 1 } as const;

export class KeylessTraffic {
  readonly #records: TradeRecord[] = [];
  readonly #running: Promise<unknown>;
  #stopping = false;

  /** Starts at once. */
  constructor(url: string, clients: number) {
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#run(url)));
  }

  /** The trades with the keys that their replies named. */
  get records(): readonly TradeRecord[] {
    return this.#records;
  }

  count(status: number): number {
    return this.#records.filter((record) => record.status === status).length;
  }

  /** Stops after each client's trade in flight. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(url: string): Promise<void> {
    const client = new BazaarClient({ urls: [url], giveUpMs: 0 });
    while (!this.#stopping) {
      const { body, headers, text: _, ...answer } = await client.request("POST", "/orders", {}, JSON.stringify(trade));
      // An answered trade's key is the id of its request.
      const key = headers.get(answer.status === 200 ? requestIdHeader : idempotencyKeyHeader) ?? "";
      this.#records.push({ ...answer, request: { key, ...trade }, orderNumber: orderNumber(body), replayed: false });
    }
    client.close();
  }
}
