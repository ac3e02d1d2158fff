/** A whole bazaar on virtual time, in which nothing goes wrong but what a story tells. */

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

/** Longer than everything that happens by itself: a choice of leader, a session, the quiet time of a start. */
export const calmMs = 3000;
const client = "client";

export class Story {
  readonly world: World;
  readonly wrong: string[] = [];
  #keys = 0;

  /** Everything runs, and replica 3 leads. */
  constructor(change: Partial<Settings> = {}) {
    this.world = new World({ ...settings, ...change }, new Random(1), {
      committed() {},
      acknowledged() {},
      ended: (process, error) => this.wrong.push(`I8: ${process} ended itself: ${String(error)}`),
      trace() {},
      isTracing: false,
    });
    this.world.startAll();
    this.pass(calmMs);
  }

  /** The orders of the ledger that is in place now. */
  get ledger() {
    return readLedger(this.world.catalogStore.database);
  }

  /** Nothing passes between these two any more, either way. */
  cut(one: string, other: string): void {
    this.world.network.cut(one, other);
    this.world.network.cut(other, one);
  }

  pass(ms: number): void {
    this.world.scheduler.runUntil(this.world.scheduler.nowMs + ms);
  }

  /** What became of a trade through this front-end in this time: its order, or a code; `undefined`: no answer yet. */
  trade(options: { frontEnd?: number; key?: string; type?: TradeType; withinMs?: number } = {}) {
    const { frontEnd = 1, key = this.newKey(), type = "buy", withinMs = calmMs } = options;
    const trade = { key, name: stock, type, quantity: 1, requestId: key };
    return this.#ask(frontEnd, withinMs, async (api) => {
      const outcome = await api.trade(trade);
      return outcome.status === "accepted" ? outcome.orderId : outcome.status;
    });
  }

  /** The stock's quantity through this front-end, or a code. */
  lookUp({ frontEnd = 1, withinMs = calmMs }: { frontEnd?: number; withinMs?: number } = {}) {
    return this.#ask(frontEnd, withinMs, async (api) => (await api.lookup(stock)).stock?.quantity);
  }

  newKey(): string {
    this.#keys += 1;
    return `key-${this.#keys}`;
  }

  expect(what: string, found: unknown, ...allowed: readonly unknown[]): void {
    if (!allowed.includes(found)) this.wrong.push(`${what}: ${String(found)}, and not ${allowed.join(" or ")}`);
  }

  /** What is wrong. */
  end(): string[] {
    this.world.close();
    return this.wrong;
  }

  #ask<Result>(
    frontEnd: number,
    withinMs: number,
    ask: (api: ReturnType<World["frontEndFor"]>) => Promise<Result>,
  ): Result | string | undefined {
    const host = this.world.frontEnds[frontEnd - 1];
    if (!host) throw new Error(`there is no front-end ${frontEnd}`);
    const api = this.world.frontEndFor({ name: client, life: this.world.newLife(client), timeoutMs: 60_000 }, host);
    let answer: { readonly value: Result | string | undefined } | undefined;
    ask(api).then(
      (value) => (answer = { value }),
      (error: unknown) => (answer = { value: BazaarError.from(error).code }),
    );
    this.world.scheduler.runUntil(this.world.scheduler.nowMs + withinMs, () => answer !== undefined);
    return answer?.value;
  }
}
