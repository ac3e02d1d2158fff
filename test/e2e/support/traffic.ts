/**
 * Clients that trade, each on its own connection, one request after the other, and the record of what they were told.
 * A client that is `persistent` does what the contract asks of it: no answer, or 503, means trying again with the
 * same key.
 */

import { at, orderNumber, type TradeRequest } from "./client.ts";
import { HttpConnection, type HttpReply } from "./http-connection.ts";
import { eventually } from "./wait.ts";

export interface TradeRecord {
  readonly request: TradeRequest;
  /** Of the last attempt; 0: the connection was lost. */
  readonly status: number;
  /** Why there was no reply, or no trade. */
  readonly reason: string;
  /** When the trade was accepted. */
  readonly orderNumber: number | undefined;
  readonly replayed: boolean;
  readonly attempts: number;
  /** Monotonic; the end is that of the last attempt. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface TrafficOptions {
  /** Front-ends; the clients are spread over them, and a persistent one tries the next after a failure. */
  readonly urls: readonly string[];
  readonly clients: number;
  readonly persistent?: boolean;
  /** Default: ten trades of either side in turn on the stocks of the seed, with a few that must be refused. */
  readonly next?: (number: number) => Omit<TradeRequest, "key">;
  /** Hears of every record as it is made. */
  readonly observe?: (record: TradeRecord) => void;
}

const retryMs = 20;
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

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #next: (number: number) => Omit<TradeRequest, "key">;
  readonly #records: TradeRecord[] = [];
  readonly #clients: Promise<void>[];
  #sent = 0;
  #accepted = 0;
  #stopping = false;

  /** Starts at once. */
  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#next = options.next ?? mixedTrades(seededStocks);
    this.#clients = Array.from({ length: options.clients }, (_, index) => this.#run(index));
  }

  get records(): readonly TradeRecord[] {
    return this.#records;
  }

  get accepted(): readonly TradeRecord[] {
    return this.#records.filter(({ status }) => status === 200);
  }

  /** Neither accepted nor refused for a good reason. */
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
    const ends = this.accepted.map(({ endMs }) => endMs).sort((a, b) => a - b);
    return ends.reduce((longest, end, index) => Math.max(longest, end - (ends[index - 1] ?? end)), 0);
  }

  /** Resolves when this many more trades have been accepted. */
  async more(count: number): Promise<void> {
    const goal = this.#accepted + count;
    await eventually(`${count} more accepted trades`, () => this.#accepted >= goal);
  }

  /** Each client finishes the trade that it is at. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #run(index: number): Promise<void> {
    const { urls } = this.#options;
    let at = index % urls.length;
    let connection = new HttpConnection(urls[at] ?? "");
    const another = () => {
      connection.close();
      at = (at + 1) % urls.length;
      connection = new HttpConnection(urls[at] ?? "");
    };
    while (!this.#stopping) {
      const request = { key: Bun.randomUUIDv7(), ...this.#next(this.#sent) };
      this.#sent += 1;
      const startMs = performance.now();
      let record: TradeRecord;
      for (let attempts = 1; ; attempts += 1) {
        record = { request, attempts, startMs, ...(await attempt(connection, request)), endMs: performance.now() };
        if (isOutcome(record.status, record.reason)) break;
        another();
        await Bun.sleep(retryMs);
        if (!this.#options.persistent) break;
      }
      this.#records.push(record);
      if (record.status === 200) this.#accepted += 1;
      this.#options.observe?.(record);
    }
    connection.close();
  }
}

function isOutcome(status: number, reason: string): boolean {
  return status === 200 || reason === "INSUFFICIENT_QUANTITY" || reason === "INVALID_STOCKNAME";
}

async function attempt(
  connection: HttpConnection,
  { key, ...wish }: TradeRequest,
): Promise<Pick<TradeRecord, "status" | "reason" | "orderNumber" | "replayed">> {
  let reply: HttpReply;
  try {
    reply = await connection.request("POST", "/orders", { "idempotency-key": key }, JSON.stringify(wish));
  } catch (error) {
    return { status: 0, reason: String(error), orderNumber: undefined, replayed: false };
  }
  const body: unknown = JSON.parse(reply.text);
  const reason = at(body, "error", "reason");
  return {
    status: reply.status,
    reason: typeof reason === "string" ? reason : "",
    orderNumber: orderNumber(body),
    replayed: reply.headers.get("idempotent-replayed") === "true",
  };
}
