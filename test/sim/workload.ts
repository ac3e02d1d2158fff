/** Clients, each with its own habits, and the history of what they asked and were told. */

import type { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { Outcome } from "@stock-bazaar/shared/domain";
import { BazaarError, isRetryable } from "@stock-bazaar/shared/errors";
import type { Random } from "@stock-bazaar/shared/random";
import type { InitialStock } from "./catalog-store.ts";
import type { History, Told, Wish } from "./history.ts";
import type { Host, Life } from "./process.ts";
import type { World } from "./world.ts";

export interface Habits {
  readonly clients: number;
  /** Between two requests of a client, on average. */
  readonly thinkMs: number;
  /** How many of the requests are trades. */
  readonly tradeChance: number;
  /** How many of the trades come again under a key that had its answer. */
  readonly repeatChance: number;
  /** How many of the trades are sent twice at once. */
  readonly twiceChance: number;
  /** After how many of its trades a client looks at the stock through every front-end at once. */
  readonly lookChance: number;
  /** How many clients stay with one front-end until it fails. */
  readonly loyalChance: number;
  /** Up to how much is traded at once. */
  readonly quantityMax: number;
  /** May an old copy of the catalog refuse them? */
  readonly seesOldCopies: boolean;
}

const retryMeanMs = 30;
/** How long a client waits for a trade before it asks elsewhere: some are patient, some aren't. */
const patienceMs = [400, 1500, 8000];
/** For an answer to a question: whoever waits long sees little. */
const readerPatienceMs = [30, 100, 1000];
/** Of the orders that were acknowledged, when all is over. */
const queriedMax = 20;
/** Stocks in a page of the list: few, so that a list has several. */
const listedStocks = 2;
const unknownStock = "NoSuchStock";

export class Workload {
  readonly history: History = { trades: [], lookups: [] };
  /** What no client should ever be told. */
  readonly surprises: string[] = [];
  readonly #world: World;
  readonly #random: Random;
  readonly #habits: Habits;
  /** Trades that had an outcome. */
  readonly #answered: { readonly wish: Wish; readonly isAccepted: boolean }[] = [];
  readonly #acknowledged: { readonly wish: Wish; readonly orderId: number }[] = [];
  #isStopping = false;
  #running = 0;

  constructor(world: World, random: Random, habits: Habits) {
    this.#world = world;
    this.#random = random;
    this.#habits = habits;
  }

  start(): void {
    for (let number = 1; number <= this.#habits.clients; number += 1) void this.#client(`client-${number}`);
  }

  /** Each client brings to an end what it has begun. */
  stop(): void {
    this.#isStopping = true;
  }

  get isDone(): boolean {
    return this.#running === 0;
  }

  /** One look at every stock through every front-end: once more after all has healed. */
  async lookAtAll(): Promise<void> {
    const life = this.#world.newLife("last-client");
    for (const frontEnd of this.#world.frontEnds) {
      for (const { name } of this.#world.settings.stocks) await this.#lookUp("last-client", life, frontEnd, name);
    }
    for (const { wish, orderId } of this.#random.sample(this.#acknowledged, queriedMax)) {
      await this.#query("last-client", life, this.#random.pick(this.#world.frontEnds), wish, orderId);
    }
  }

  /** Sells something through this front-end, and no other, until there is an outcome. */
  async tradeAt(frontEnd: Host<LiveBazaar>): Promise<void> {
    const life = this.#world.newLife("last-client");
    const [{ name }] = this.#world.settings.stocks as [InitialStock];
    const wish: Wish = { key: this.#world.newId(), name, type: "sell", quantity: 1 };
    await this.#untilTold("last-client", life, [frontEnd], wish);
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

  async #trade(client: string, life: Life, frontEnd: Host<LiveBazaar>): Promise<void> {
    const random = this.#random;
    if (random.chance(this.#habits.repeatChance) && this.#answered.length > 0) {
      const { wish, isAccepted } = random.pick(this.#answered);
      const other: Wish = { ...wish, quantity: wish.quantity + 1 };
      // A rejection may be forgotten, and its key with it.
      const isOther = random.chance(0.2) && isAccepted;
      return this.#untilTold(client, life, this.#from(frontEnd), isOther ? other : wish, wish);
    }
    const wish: Wish = {
      key: this.#world.newId(),
      name: this.#stock(),
      type: random.chance(0.6) ? "buy" : "sell",
      quantity: random.whole(1, this.#habits.quantityMax),
    };
    const asked = [this.#untilTold(client, life, this.#from(frontEnd), wish)];
    if (random.chance(this.#habits.twiceChance)) {
      asked.push(this.#untilTold(client, life, this.#from(random.pick(this.#world.frontEnds)), wish));
    }
    await Promise.all(asked);
  }

  /** This front-end first, then any. */
  #from(first: Host<LiveBazaar>): readonly Host<LiveBazaar>[] {
    return [first, ...this.#world.frontEnds];
  }

  /** Asks again with the same key, at these front-ends, until there is an outcome (R3, R10). */
  async #untilTold(
    client: string,
    life: Life,
    frontEnds: readonly Host<LiveBazaar>[],
    wish: Wish,
    known?: Wish,
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const frontEnd = attempt === 0 && frontEnds[0] ? frontEnds[0] : this.#random.pick(frontEnds);
      const timeoutMs = this.#random.pick(patienceMs);
      const startMs = this.#world.scheduler.nowMs;
      const api = this.#world.frontEndFor({ name: client, life, timeoutMs }, frontEnd);
      let told: Told;
      try {
        told = toldBy(await api.trade({ ...wish, requestId: wish.key }));
      } catch (error) {
        told = { status: "unknown" };
        this.#expectRetryable(`trade ${wish.key} at ${frontEnd.name}`, error);
      }
      const endMs = this.#world.scheduler.nowMs;
      this.#world.trace(
        `${client}: ${wish.type} ${wish.quantity} ${wish.name}, ${wish.key}, at ${frontEnd.name}: ${JSON.stringify(told)}`,
      );
      if (known === undefined || known.quantity === wish.quantity) {
        this.history.trades.push({ wish, told, startMs, endMs });
        if (told.status === "key-reused")
          this.surprises.push(`I4: ${wish.key} was told that its key belongs to another`);
      } else if (told.status === "accepted" || told.status === "rejected") {
        this.surprises.push(`I4: ${wish.key} came again with another quantity, and was ${told.status}`);
      }
      if (told.status !== "unknown") {
        if (known === undefined) this.#answered.push({ wish, isAccepted: told.status === "accepted" });
        if (told.status === "accepted") this.#acknowledged.push({ wish, orderId: told.orderId });
        if (this.#random.chance(this.#habits.lookChance)) {
          await Promise.all(this.#world.frontEnds.map((other) => this.#lookUp(client, life, other, wish.name)));
        }
        return;
      }
      await pause(life, this.#random.exponential(retryMeanMs));
    }
  }

  async #lookUp(client: string, life: Life, frontEnd: Host<LiveBazaar>, name: string): Promise<void> {
    const startMs = this.#world.scheduler.nowMs;
    const api = this.#world.frontEndFor(
      { name: client, life, timeoutMs: this.#random.pick(readerPatienceMs) },
      frontEnd,
    );
    try {
      const { stock, cache } = await api.lookup(name);
      this.#told(client, frontEnd, name, stock, cache, startMs);
    } catch (error) {
      this.#expectRetryable(`lookup at ${frontEnd.name}`, error);
    }
  }

  async #lookAround(client: string, life: Life, frontEnd: Host<LiveBazaar>): Promise<void> {
    const api = this.#world.frontEndFor(
      { name: client, life, timeoutMs: this.#random.pick(readerPatienceMs) },
      frontEnd,
    );
    try {
      let start = "";
      for (let more = true; more; ) {
        const startMs = this.#world.scheduler.nowMs;
        const page = await api.stocks({ start, inclusive: false, limit: listedStocks });
        for (const stock of page.stocks) this.#told(client, frontEnd, stock.name, stock, "list", startMs);
        start = page.stocks.at(-1)?.name ?? start;
        ({ more } = page);
      }
    } catch (error) {
      this.#expectRetryable(`list at ${frontEnd.name}`, error);
    }
  }

  #told(
    client: string,
    { name: frontEnd }: Host<LiveBazaar>,
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

  /** I7: what was acknowledged is found, through any front-end. */
  async #query(client: string, life: Life, frontEnd: Host<LiveBazaar>, wish: Wish, orderId: number): Promise<void> {
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
    // A catalog on an old copy refuses everything, as it should.
    const isExpected =
      isRetryable(code) || code === "OVERLOADED" || (code === "DIVERGED" && this.#habits.seesOldCopies);
    if (!isExpected) this.surprises.push(`I8: ${what} failed with ${code}: ${message}`);
  }
}

function toldBy(outcome: Outcome): Told {
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
