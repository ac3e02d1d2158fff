/**
 * One client: it looks a stock up, now and then trades it, and so on, over a connection that is kept alive. It believes
 * nothing: each reply is held against what it asked for and what it was told before.
 */

import { BazaarClient, isOutcome, isUnknown, type StockRecord, type TradeRecord } from "./bazaar-client.ts";

export interface SessionOptions {
  readonly url: string;
  readonly stocks: readonly string[];
  readonly lookups: number;
  /** Of a trade after a lookup, from 0 to 1. */
  readonly tradeProbability: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** How long a request is sent again that nobody answers. */
  readonly giveUpMs: number;
  /** How long to wait for one reply. */
  readonly patienceMs: number;
}

export interface SessionEvents {
  lookedUp(record: StockRecord): void;
  traded(record: TradeRecord): void;
  /** A reply that can't be true. */
  mismatch(text: string): void;
  /** A request without an answer, or with an answer that it should not have had. */
  failure(text: string): void;
  /** Nobody answers: the session ends. */
  unanswered(text: string): void;
}

/** Units in one trade, at most. */
const quantityMax = 5;

export class Session {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #client: BazaarClient;
  /** The last change of a stock that this client was told of: what it hears later can't be older (I6). */
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

  /** The request that is under way is given up. */
  stop(): void {
    this.#stopped = true;
    this.#client.close();
  }

  /** What can be traded: the stock as it was shown. */
  async #lookUp(): Promise<StockRecord["stock"]> {
    const { stocks } = this.#options;
    const record = await this.#client.lookUp(stocks[this.#whole(0, stocks.length - 1)] ?? "");
    if (this.#stopped) return undefined;
    const { name, stock, rev, status, reason } = record;
    if (isUnknown(status)) return this.#giveUp(`lookup of ${name}`, status, reason);
    this.#events.lookedUp(record);
    if (!stock) {
      const told = `the lookup of ${name} was answered ${status} ${reason}`.trimEnd();
      if (status === 200) this.#events.mismatch(told);
      else this.#events.failure(told);
      return undefined;
    }
    const known = this.#known.get(name) ?? 0;
    if (stock.name !== name) this.#events.mismatch(`the lookup of ${name} was answered with ${stock.name}`);
    else if (rev !== undefined && rev < known)
      this.#events.mismatch(`${name} was shown as of order ${rev}, after this client was told of order ${known}`);
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
    const told = `the trade ${what} was answered ${status} ${reason}`.trimEnd();
    if (status === 200) this.#events.mismatch(told);
    else this.#events.failure(told);
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
