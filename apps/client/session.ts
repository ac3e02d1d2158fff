/**
 * One client: it looks up stocks and sometimes trades one, over a keep-alive connection. It checks each reply against
 * its request and against all earlier replies.
 */

import { BazaarClient, isOutcome, isUnknown, type StockRecord, type TradeRecord } from "./bazaar-client.ts";

export interface SessionOptions {
  readonly url: string;
  readonly stocks: readonly string[];
  readonly lookups: number;
  /** Probability of a trade after a lookup, from 0 to 1. */
  readonly tradeProbability: number;
  /** Returns a number from 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** How long to retry an unanswered request. */
  readonly giveUpMs: number;
  /** How long to wait for one reply. */
  readonly patienceMs: number;
}

export interface SessionEvents {
  lookedUp(record: StockRecord): void;
  traded(record: TradeRecord): void;
  /** A reply that can't be right. */
  mismatch(text: string): void;
  /** A request without an answer, or with an unexpected error. */
  failure(text: string): void;
  /** A request got no answer for `giveUpMs`, so the session ends. */
  unanswered(text: string): void;
}

/** The most units in one trade. */
const quantityMax = 5;

export class Session {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #client: BazaarClient;
  /** The newest revision of each stock that this client has received; later replies must not be older (I6). */
  readonly #known = new Map<string, number>();
  #stopped = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    const { url, giveUpMs, patienceMs } = options;
    this.#options = options;
    this.#events = events;
    this.#client = new BazaarClient({ urls: [url], giveUpMs, patienceMs, isLoad: true });
  }

  async run(): Promise<void> {
    const { lookups, random, tradeProbability } = this.#options;
    for (let number = 0; number < lookups && !this.#stopped; number += 1) {
      const left = await this.#lookUp();
      if (left !== undefined && random() < tradeProbability) await this.#trade(left);
    }
    this.#client.close();
  }

  /** Ends the session; abandons a request in flight. */
  stop(): void {
    this.#stopped = true;
    this.#client.close();
  }

  /** Looks up a random stock. Returns it if it can be traded. */
  async #lookUp(): Promise<StockRecord["stock"]> {
    const { stocks } = this.#options;
    const record = await this.#client.lookUp(stocks[this.#whole(0, stocks.length - 1)] ?? "");
    if (this.#stopped) return undefined;
    const { name, stock, rev, status, reason } = record;
    if (isUnknown(status)) return this.#giveUp(`lookup of ${name}`, status, reason);
    this.#events.lookedUp(record);
    if (!stock) {
      const text = `the lookup of ${name} was answered with ${status} ${reason}`.trimEnd();
      if (status === 200) this.#events.mismatch(text);
      else this.#events.failure(text);
      return undefined;
    }
    const known = this.#known.get(name) ?? 0;
    if (stock.name !== name) this.#events.mismatch(`the lookup of ${name} was answered with ${stock.name}`);
    else if (rev !== undefined && rev < known)
      this.#events.mismatch(
        `${name} must be at least at order ${known}, which this client received (got order ${rev})`,
      );
    if (rev !== undefined) this.#learn(name, rev);
    return stock.name === name ? stock : undefined;
  }

  async #trade({ name, quantity: left }: NonNullable<StockRecord["stock"]>): Promise<void> {
    const { random } = this.#options;
    const type = left > 0 && random() < 0.5 ? "buy" : "sell";
    const quantity = this.#whole(1, type === "buy" ? Math.min(left, quantityMax) : quantityMax);
    const record = await this.#client.trade({ key: Bun.randomUUIDv7(), name, type, quantity });
    if (this.#stopped) return;
    const { status, reason, orderNumber } = record;
    const what = `to ${type} ${quantity} ${name}`;
    if (isUnknown(status)) return this.#giveUp(`trade ${what}`, status, reason);
    this.#events.traded(record);
    if (orderNumber !== undefined) this.#learn(name, orderNumber);
    if (isOutcome(status, reason)) return;
    const text = `the trade ${what} was answered with ${status} ${reason}`.trimEnd();
    if (status === 200) this.#events.mismatch(text);
    else this.#events.failure(text);
  }

  #giveUp(what: string, status: number, reason: string): undefined {
    this.#stopped = true;
    this.#events.unanswered(`no answer to the ${what}: ${status === 0 ? reason : status}`);
    return undefined;
  }

  #learn(name: string, rev: number): void {
    this.#known.set(name, Math.max(rev, this.#known.get(name) ?? 0));
  }

  #whole(min: number, max: number): number {
    return min + Math.floor(this.#options.random() * (max - min + 1));
  }
}
