/** Clients that send one trade after the other, and the records of the replies. */

import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { TradeRequest } from "@stock-bazaar/client/requests";
import { eventually, type WaitOptions } from "@stock-bazaar/cluster/wait";

export interface TrafficOptions {
  /** The front-ends; the clients are spread over them. */
  readonly urls: readonly string[];
  readonly clients: number;
  /** Additional clients, which send every trade to two front-ends at once, with one key. */
  readonly twins?: number;
  /** Whether an unanswered trade is sent again until it is answered. Default: it is sent once. */
  readonly persistent?: boolean;
  /** How long a client waits for an answer; default: no limit. */
  readonly patienceMs?: number;
  /** Returns the next trade. Default: `mixedTrades` on the seeded stocks. */
  readonly next?: (number: number) => Omit<TradeRequest, "key">;
  /** Called with every record as it is made. */
  readonly observe?: (record: TradeRecord) => void;
}

const shownMax = 5;
export const seededStocks = [
  "GameStart",
  "FishCo",
  "BoarCo",
  "MenhirCo",
  "PotionWorks",
  "LanternLine",
  "MossAndSons",
  "TinWhistle",
  "NorthQuarry",
  "HarborRope",
] as const;

/** Buys and sells in turn on `stocks`. Some quantities are too high and some names unknown, so these are rejected. */
export function mixedTrades(stocks: readonly string[]): (number: number) => Omit<TradeRequest, "key"> {
  return (number) => ({
    name: number % 97 === 96 ? "NoSuchStock" : (stocks[number % stocks.length] ?? ""),
    type: Math.floor(number / stocks.length) % 2 === 0 ? "buy" : "sell",
    quantity: number % 60 === 49 ? 1_000_000_000 : 1 + (number % 3),
  });
}

/** The longest time between two accepted trades. */
export function longestSilenceMs(records: readonly TradeRecord[]): number {
  const ends = records.flatMap(({ status, endMs }) => (status === 200 ? [endMs] : [])).sort((a, b) => a - b);
  return ends.reduce((longest, end, index) => Math.max(longest, end - (ends[index - 1] ?? end)), 0);
}

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #next: (number: number) => Omit<TradeRequest, "key">;
  readonly #records: TradeRecord[] = [];
  readonly #clients: BazaarClient[] = [];
  readonly #running: Promise<void>[];
  #sent = 0;
  #accepted = 0;
  #stopping = false;

  /** Starts at once. */
  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#next = options.next ?? mixedTrades(seededStocks);
    const { clients, twins = 0 } = options;
    this.#running = [
      ...Array.from({ length: clients }, (_, index) => this.#run([this.#client(index)])),
      ...Array.from({ length: twins }, (_, index) => this.#run([this.#client(index), this.#client(index + 1)])),
    ];
  }

  get records(): readonly TradeRecord[] {
    return this.#records;
  }

  get accepted(): readonly TradeRecord[] {
    return this.#records.filter(({ status }) => status === 200);
  }

  /** Trades without an outcome. */
  get failed(): readonly TradeRecord[] {
    return this.#records.filter(({ status, reason }) => !isOutcome(status, reason));
  }

  /** Readable descriptions of the first failed trades. */
  get failures(): readonly string[] {
    return this.failed
      .slice(0, shownMax)
      .map(
        ({ request: { key, name, type, quantity }, status, reason, startMs, endMs }, index) =>
          `${index + 1} of ${this.failed.length}: ${type} ${quantity} ${name}, key ${key}: ` +
          `${status} ${reason} after ${Math.round(endMs - startMs)} ms`,
      );
  }

  /** The longest time without an accepted trade. */
  get longestSilenceMs(): number {
    return longestSilenceMs(this.#records);
  }

  /** Resolves when this many more trades have been accepted. */
  async more(count: number, wait: WaitOptions = {}): Promise<void> {
    const goal = this.#accepted + count;
    await eventually(`${count} more accepted trades`, () => this.#accepted >= goal, wait);
  }

  /** Stops after each client's trade in flight. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Stops at once; records the trades in flight without an outcome. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running);
  }

  #client(index: number): BazaarClient {
    const { urls, persistent = false, patienceMs } = this.#options;
    const client = new BazaarClient({
      urls,
      first: index,
      patienceMs,
      isLoad: true,
      ...(!persistent && { giveUpMs: 0 }),
    });
    this.#clients.push(client);
    return client;
  }

  async #run(clients: readonly BazaarClient[]): Promise<void> {
    while (!this.#stopping) {
      const request = { key: Bun.randomUUIDv7(), ...this.#next(this.#sent) };
      this.#sent += 1;
      await Promise.all(clients.map(async (client) => this.#take(await client.trade(request))));
    }
    for (const client of clients) client.close();
  }

  #take(record: TradeRecord): void {
    this.#records.push(record);
    if (record.status === 200) this.#accepted += 1;
    this.#options.observe?.(record);
  }
}
