/** A whole bazaar on virtual time, with no faults but those of a directed case. */

import { whenInvariantBreaks } from "@stock-bazaar/shared/invariant";
import { Random } from "@stock-bazaar/shared/random";
import type { TradeType } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { readLedger } from "../checker.ts";
import { type Settings, World } from "../world.ts";

export const stock = "GameStart";

const settings: Settings = {
  stocks: [{ name: stock, priceCents: 1599, quantity: 100 }],
  lateStock: { name: "LateCo", priceCents: 100, quantity: 5 },
  replicas: 3,
  minCopies: 1,
  orderSynchronous: "NORMAL",
  leasesMs: [500],
  cacheSizes: [100],
  cacheTtlMs: 0,
  restockIntervalMs: 0,
  restockQuantity: 20,
  drift: 0,
  wallSetEveryMs: undefined,
  timerLateMs: 1,
  rejectionsKeptMs: 24 * 3_600_000,
  rpcTimeoutMs: 3000,
  requestTimeoutMs: 10_000,
};

/** Longer than any process that a start or a failure sets off: a choice of leader, a new session, the wait of R9. */
export const calmMs = 3000;
const client = "client";

export class Story {
  readonly world: World;
  readonly wrong: string[] = [];
  #keys = 0;

  /** Starts a bazaar in which everything runs and replica 3 leads. */
  constructor(change: Partial<Settings> = {}) {
    this.world = new World({ ...settings, ...change }, new Random(1), {
      committed() {},
      acknowledged() {},
      ended: (process, error) => this.wrong.push(`I8: ${process} ended itself: ${String(error)}`),
      trace() {},
      isTracing: false,
    });
    whenInvariantBreaks(({ message }) => void this.wrong.push(message));
    this.world.startAll();
    this.pass(calmMs);
  }

  /** The orders of the ledger that is in place now. */
  get ledger() {
    return readLedger(this.world.catalogStore.database);
  }

  /** Cuts the link between these two, in both directions. */
  cut(one: string, other: string): void {
    this.world.network.cut(one, other);
    this.world.network.cut(other, one);
  }

  pass(ms: number): void {
    this.world.scheduler.runUntil(this.world.scheduler.nowMs + ms);
  }

  /**
   * Trades through this front-end. A trade without `key` is one whose key the front-end makes. Returns the order id or a
   * code; `undefined` if there was no answer within `withinMs`.
   */
  trade(
    options: {
      frontEnd?: number;
      key?: string;
      minted?: boolean;
      type?: TradeType;
      quantity?: number;
      withinMs?: number;
    } = {},
  ) {
    const { frontEnd = 1, key = this.newKey(), type = "buy", quantity = 1, withinMs = calmMs } = options;
    const { minted = options.key === undefined } = options;
    const trade = { key, name: stock, type, quantity, requestId: key };
    return this.#ask(frontEnd, withinMs, async (api) => {
      const outcome = await api.trade(trade, minted);
      return outcome.status === "accepted" ? outcome.orderId : outcome.status;
    });
  }

  /** Looks up the stock through this front-end. Returns its quantity or a code; `undefined` if there was no answer. */
  lookUp({ frontEnd = 1, withinMs = calmMs }: { frontEnd?: number; withinMs?: number } = {}) {
    return this.#ask(frontEnd, withinMs, async (api) => (await api.lookup(stock)).stock?.quantity);
  }

  /** Begins a purchase. Returns a function that returns what `trade` does, so far. */
  trading({ frontEnd = 1 } = {}): () => number | string | undefined {
    const key = this.newKey();
    const trade = { key, name: stock, type: "buy", quantity: 1, requestId: key } as const;
    const answer = this.#begin(frontEnd, async (api) => {
      const outcome = await api.trade(trade, true);
      return outcome.status === "accepted" ? outcome.orderId : outcome.status;
    });
    return () => answer()?.value;
  }

  /** Begins a lookup. Returns a function that returns what it has brought so far. */
  asking({ frontEnd = 1 } = {}): () => number | string | undefined {
    const answer = this.#begin(frontEnd, async (api) => (await api.lookup(stock)).stock?.quantity);
    return () => answer()?.value;
  }

  newKey(): string {
    this.#keys += 1;
    return `key-${this.#keys}`;
  }

  expect(what: string, found: unknown, ...allowed: readonly unknown[]): void {
    if (!allowed.includes(found)) this.wrong.push(`${what} must be ${allowed.join(" or ")} (got ${String(found)})`);
  }

  /** Closes the bazaar and returns the violations. */
  end(): string[] {
    this.world.close();
    return this.wrong;
  }

  #ask<Result>(
    frontEnd: number,
    withinMs: number,
    ask: (api: ReturnType<World["frontEndFor"]>) => Promise<Result>,
  ): Result | string | undefined {
    const answer = this.#begin(frontEnd, ask);
    this.world.scheduler.runUntil(this.world.scheduler.nowMs + withinMs, () => answer() !== undefined);
    return answer()?.value;
  }

  #begin<Result>(
    frontEnd: number,
    ask: (api: ReturnType<World["frontEndFor"]>) => Promise<Result>,
  ): () => { readonly value: Result | string | undefined } | undefined {
    const host = this.world.frontEnds[frontEnd - 1];
    if (!host) throw new Error(`the front-end must be 1 to ${this.world.frontEnds.length} (got ${frontEnd})`);
    const api = this.world.frontEndFor({ name: client, life: this.world.newLife(client), timeoutMs: 60_000 }, host);
    let answer: { readonly value: Result | string | undefined } | undefined;
    ask(api).then(
      (value) => (answer = { value }),
      (error: unknown) => (answer = { value: BazaarError.from(error).code }),
    );
    return () => answer;
  }
}
