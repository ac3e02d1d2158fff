/** Clients that trade, each one trade after the other, and the records of what they were told. */

import { BazaarClient, isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { TradeRequest } from "@stock-bazaar/client/requests";
import { eventually, type WaitOptions } from "@stock-bazaar/cluster/wait";

export interface TrafficOptions {
  /** Front-ends; the clients are spread over them. */
  readonly urls: readonly string[];
  readonly clients: number;
  /** Clients on top of these, each of which sends every trade twice at once with one key, to two front-ends. */
  readonly twins?: number;
  /** A trade that nobody answers is sent again, until it is. Default: once is all. */
  readonly persistent?: boolean;
  /** How long a client waits for an answer; default: for ever. */
  readonly patienceMs?: number;
  /** Default: ten trades of either side in turn on the stocks of the seed, with a few that must be rejected. */
  readonly next?: (number: number) => Omit<TradeRequest, "key">;
  /** Hears of every record as it is made. */
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

/** Buys and sells in turn on `stocks`; some quantities that nobody has, and some names that nobody knows. */
export function mixedTrades(stocks: readonly string[]): (number: number) => Omit<TradeRequest, "key"> {
  return (number) => ({
    name: number % 97 === 96 ? "NoSuchStock" : (stocks[number % stocks.length] ?? ""),
    type: Math.floor(number / stocks.length) % 2 === 0 ? "buy" : "sell",
    quantity: number % 60 === 49 ? 1_000_000_000 : 1 + (number % 3),
  });
}

/** The longest time between two accepted trades of these, in milliseconds. */
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

  /** Neither accepted nor rejected for a good reason. */
  get failed(): readonly TradeRecord[] {
    return this.#records.filter(({ status, reason }) => !isOutcome(status, reason));
  }

  /** The first of the failed trades, to read. */
  get failures(): readonly string[] {
    return this.failed
      .slice(0, shownMax)
      .map(
        ({ request: { key, name, type, quantity }, status, reason, startMs, endMs }, index) =>
          `${index + 1} of ${this.failed.length}: ${type} ${quantity} ${name}, key ${key}: ` +
          `${status} ${reason} after ${Math.round(endMs - startMs)} ms`,
      );
  }

  /** The longest time without any accepted trade, in milliseconds. */
  get longestSilenceMs(): number {
    return longestSilenceMs(this.#records);
  }

  /** Resolves when this many more trades have been accepted. */
  async more(count: number, wait: WaitOptions = {}): Promise<void> {
    const goal = this.#accepted + count;
    await eventually(`${count} more accepted trades`, () => this.#accepted >= goal, wait);
  }

  /** Each client finishes the trade that it is at. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  /** Each client gives up the trade that it is at, which is recorded without an outcome. */
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
