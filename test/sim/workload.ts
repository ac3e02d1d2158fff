/** The clients of a run and the history of their requests and answers. */

import type { Outcome } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import type { Random } from "@stock-bazaar/shared/random";
import type { History, Answer, Wish } from "./history.ts";
import type { Host, Life } from "./process.ts";
import type { FrontEnd, Settings, World } from "./world.ts";

/** What clients need of a world, or of several beside each other. */
export interface Market
  extends Pick<World, "scheduler" | "frontEnds" | "frontEndFor" | "newLife" | "newKey" | "remembersForEver" | "trace"> {
  readonly settings: Pick<Settings, "stocks" | "lateStock">;
}

export interface Habits {
  readonly clients: number;
  /** Average time between two requests of a client. */
  readonly thinkMs: number;
  /** Share of the requests that are trades. */
  readonly tradeChance: number;
  /** Share of the trades that repeat a key that was answered before. */
  readonly repeatChance: number;
  /** Share of the trades that are sent twice at once. */
  readonly twiceChance: number;
  /** Share of the trades after which the client looks up the stock through every front-end at once. */
  readonly lookChance: number;
  /** Share of the clients that stay with one front-end until it fails. */
  readonly loyalChance: number;
  /** Largest quantity of a trade. */
  readonly quantityMax: number;
  /** Whether an old copy of the catalog may refuse requests. */
  readonly seesOldCopies: boolean;
}

const retryMeanMs = 30;
/** Timeouts of a trade, after which the client asks another front-end. */
const patienceMs = [400, 1500, 8000];
/** Timeouts of a lookup or order query. Short ones let a client make more of them. */
const readerPatienceMs = [30, 100, 1000];
/** Acknowledged orders that are queried at the end of a run. */
const queriedMax = 20;
/** Stocks per page of the list: few, so that a list has several pages. */
const listedStocks = 2;
const unknownStock = "NoSuchStock";

export class Workload {
  readonly history: History = { trades: [], lookups: [] };
  /** Answers that no client should ever receive. */
  readonly surprises: string[] = [];
  readonly #world: Market;
  readonly #random: Random;
  readonly #habits: Habits;
  /** Trades that were answered with an outcome. */
  readonly #answered: { readonly wish: Wish; readonly isAccepted: boolean }[] = [];
  readonly #acknowledged: { readonly wish: Wish; readonly orderId: number }[] = [];
  #isStopping = false;
  #running = 0;

  constructor(world: Market, random: Random, habits: Habits) {
    this.#world = world;
    this.#random = random;
    this.#habits = habits;
  }

  start(): void {
    for (let number = 1; number <= this.#habits.clients; number += 1) void this.#client(`client-${number}`);
  }

  /** Lets each client finish its current request, and begin no other. */
  stop(): void {
    this.#isStopping = true;
  }

  get isDone(): boolean {
    return this.#running === 0;
  }

  /** Looks up every stock through every front-end and queries some orders, after everything has healed. */
  async lookAtAll(): Promise<void> {
    const life = this.#world.newLife("last-client");
    for (const frontEnd of this.#world.frontEnds) {
      for (const { name } of this.#world.settings.stocks) await this.#lookUp("last-client", life, frontEnd, name);
    }
    for (const { wish, orderId } of this.#random.sample(this.#acknowledged, queriedMax)) {
      await this.#query("last-client", life, this.#random.pick(this.#world.frontEnds), wish, orderId);
    }
  }

  /** Sells one unit of the stock through this front-end alone, and retries until there is an outcome. */
  async tradeAt(frontEnd: Host<FrontEnd>, name: string, key: string): Promise<void> {
    const life = this.#world.newLife("last-client");
    const wish: Wish = { key, name, type: "sell", quantity: 1 };
    await this.#tradeUntilAnswered("last-client", life, [frontEnd], wish);
  }

  async #client(name: string): Promise<void> {
    this.#running += 1;
    const life = this.#world.newLife(name);
    const random = this.#random;
    const isLoyal = random.chance(this.#habits.loyalChance);
    let favourite = random.pick(this.#world.frontEnds);
    while (!this.#isStopping) {
      await pause(life, random.exponential(this.#habits.thinkMs));
      if (!isLoyal || !favourite.isUp) favourite = random.pick(this.#world.frontEnds);
      if (random.chance(this.#habits.tradeChance)) await this.#trade(name, life, favourite);
      else if (random.chance(0.15) && this.#acknowledged.length > 0) {
        const { wish, orderId } = random.pick(this.#acknowledged);
        await this.#query(name, life, favourite, wish, orderId);
      } else if (random.chance(0.1)) await this.#lookAround(name, life, favourite);
      else await this.#lookUp(name, life, favourite, this.#stock());
    }
    this.#running -= 1;
  }

  #stock(): string {
    const { stocks, lateStock } = this.#world.settings;
    if (this.#random.chance(0.03)) return unknownStock;
    return this.#random.chance(0.1) ? lateStock.name : this.#random.pick(stocks).name;
  }

  async #trade(client: string, life: Life, frontEnd: Host<FrontEnd>): Promise<void> {
    const random = this.#random;
    if (random.chance(this.#habits.repeatChance) && this.#answered.length > 0) {
      const { wish, isAccepted } = random.pick(this.#answered);
      const other: Wish = { ...wish, quantity: wish.quantity + 1 };
      // The catalog may forget a rejection and its key, so only an accepted key must refuse another quantity.
      const isOther = random.chance(0.2) && isAccepted && this.#world.remembersForEver(wish);
      return this.#tradeUntilAnswered(client, life, this.#from(frontEnd), isOther ? other : wish, { known: wish });
    }
    const name = this.#stock();
    const wish: Wish = {
      key: this.#world.newKey(name),
      name,
      type: random.chance(0.6) ? "buy" : "sell",
      quantity: random.whole(1, this.#habits.quantityMax),
    };
    const asked = [this.#tradeUntilAnswered(client, life, this.#from(frontEnd), wish, { minted: true })];
    if (random.chance(this.#habits.twiceChance)) {
      asked.push(this.#tradeUntilAnswered(client, life, this.#from(random.pick(this.#world.frontEnds)), wish));
    }
    await Promise.all(asked);
  }

  /** The front-ends to ask: this one first, then any. */
  #from(first: Host<FrontEnd>): readonly Host<FrontEnd>[] {
    return [first, ...this.#world.frontEnds];
  }

  /**
   * Sends the trade with the same key to these front-ends until there is an outcome (R3, R10). `known` is the trade that
   * the key already belongs to. `minted`: the first front-end takes the key for its own; it is so to no other attempt.
   */
  async #tradeUntilAnswered(
    client: string,
    life: Life,
    frontEnds: readonly Host<FrontEnd>[],
    wish: Wish,
    { known, minted = false }: { known?: Wish; minted?: boolean } = {},
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const frontEnd = attempt === 0 && frontEnds[0] ? frontEnds[0] : this.#random.pick(frontEnds);
      const timeoutMs = this.#random.pick(patienceMs);
      const startMs = this.#world.scheduler.nowMs;
      const api = this.#world.frontEndFor({ name: client, life, timeoutMs }, frontEnd);
      let answer: Answer;
      try {
        answer = answerOf(await api.trade({ ...wish, requestId: wish.key }, minted && attempt === 0));
      } catch (error) {
        answer = { status: "unknown" };
        this.#expectRetryable(`trade ${wish.key} at ${frontEnd.name}`, error);
      }
      const endMs = this.#world.scheduler.nowMs;
      this.#world.trace(
        `${client}: ${wish.type} ${wish.quantity} ${wish.name}, ${wish.key}, at ${frontEnd.name}: ${JSON.stringify(answer)}`,
      );
      if (known === undefined || known.quantity === wish.quantity) {
        this.history.trades.push({ wish, answer, startMs, endMs });
        if (answer.status === "key-reused")
          this.surprises.push(`I4: ${wish.key} was refused because its key belongs to another trade`);
      } else if (answer.status === "accepted" || answer.status === "rejected") {
        this.surprises.push(`I4: ${wish.key} was sent again with another quantity, and was ${answer.status}`);
      }
      if (answer.status !== "unknown") {
        if (known === undefined) this.#answered.push({ wish, isAccepted: answer.status === "accepted" });
        if (answer.status === "accepted") this.#acknowledged.push({ wish, orderId: answer.orderId });
        if (this.#random.chance(this.#habits.lookChance)) {
          await Promise.all(this.#world.frontEnds.map((other) => this.#lookUp(client, life, other, wish.name)));
        }
        return;
      }
      await pause(life, this.#random.exponential(retryMeanMs));
    }
  }

  async #lookUp(client: string, life: Life, frontEnd: Host<FrontEnd>, name: string): Promise<void> {
    const startMs = this.#world.scheduler.nowMs;
    const api = this.#world.frontEndFor(
      { name: client, life, timeoutMs: this.#random.pick(readerPatienceMs) },
      frontEnd,
    );
    try {
      const { stock, cache } = await api.lookup(name);
      this.#recordLookup(client, frontEnd, name, stock, cache, startMs);
    } catch (error) {
      this.#expectRetryable(`lookup at ${frontEnd.name}`, error);
    }
  }

  async #lookAround(client: string, life: Life, frontEnd: Host<FrontEnd>): Promise<void> {
    const api = this.#world.frontEndFor(
      { name: client, life, timeoutMs: this.#random.pick(readerPatienceMs) },
      frontEnd,
    );
    try {
      let start = "";
      for (let more = true; more; ) {
        const startMs = this.#world.scheduler.nowMs;
        const page = await api.stocks({ start, inclusive: false, limit: listedStocks });
        for (const stock of page.stocks) this.#recordLookup(client, frontEnd, stock.name, stock, "list", startMs);
        start = page.stocks.at(-1)?.name ?? start;
        ({ more } = page);
      }
    } catch (error) {
      this.#expectRetryable(`list at ${frontEnd.name}`, error);
    }
  }

  #recordLookup(
    client: string,
    { name: frontEnd }: Host<FrontEnd>,
    name: string,
    stock: { quantity: number; volume: number; rev: number } | undefined,
    cache: string,
    startMs: number,
  ): void {
    const state = stock && { quantity: stock.quantity, volume: stock.volume, rev: stock.rev };
    this.#world.trace(`${client}: ${name} at ${frontEnd} is ${JSON.stringify(state)} (${cache})`);
    const endMs = this.#world.scheduler.nowMs;
    this.history.lookups.push({ frontEnd, name, stock: state, cache, startMs, endMs });
  }

  /** I7: an acknowledged order is found through any front-end. */
  async #query(client: string, life: Life, frontEnd: Host<FrontEnd>, wish: Wish, orderId: number): Promise<void> {
    const api = this.#world.frontEndFor(
      { name: client, life, timeoutMs: this.#random.pick(readerPatienceMs) },
      frontEnd,
    );
    try {
      const order = await api.order(orderId);
      if (order?.key !== wish.key || order.name !== wish.name || order.quantity !== wish.quantity) {
        this.surprises.push(
          `I7: order ${orderId}, acknowledged to ${wish.key}, is ${JSON.stringify(order)} at ${frontEnd.name}`,
        );
      }
    } catch (error) {
      this.#expectRetryable(`order ${orderId} at ${frontEnd.name}`, error);
    }
  }

  #expectRetryable(what: string, error: unknown): void {
    const { code, message } = BazaarError.from(error);
    // A catalog with an old copy must refuse everything.
    const isExpected =
      isRetryable(code) || code === "OVERLOADED" || (code === "DIVERGED" && this.#habits.seesOldCopies);
    if (!isExpected) this.surprises.push(`I8: ${what} failed with ${code}: ${message}`);
  }
}

export function answerOf(outcome: Outcome): Answer {
  switch (outcome.status) {
    case "accepted":
      return { status: "accepted", orderId: outcome.orderId };
    case "rejected":
      return { status: "rejected", reason: outcome.reason };
    case "key-reused":
    case "volume-full":
      return outcome;
  }
}

function pause(life: Life, delayMs: number): Promise<void> {
  return new Promise((resolve) => void life.clock.after(delayMs, resolve));
}
