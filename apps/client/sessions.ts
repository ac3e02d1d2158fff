/**
 * Runs several clients in parallel, and at the end checks that each acknowledged order is found and matches its trade.
 */

import { at } from "@stock-bazaar/shared/json";
import {
  BazaarClient,
  describeRefusal,
  isOutcome,
  isUnknown,
  type StockRecord,
  type TradeRecord,
} from "./bazaar-client.ts";
import { Findings } from "./findings.ts";
import { Latencies, type LatencySummary } from "./latencies.ts";
import { describeQuery, queryAll } from "./order-check.ts";
import type { RunType } from "./run-types.ts";
import { Session, type SessionEvents } from "./session.ts";

export interface RunOptions {
  /** The front-end, like `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly type: RunType;
  readonly clients: number;
  /** Lookups of each client. */
  readonly requests: number;
  /** Probability of a trade after a lookup, from 0 to 1. */
  readonly p: number;
  /** The stocks to look up; default: all stocks, at most 1000. */
  readonly stocks?: readonly string[] | undefined;
  /** Creates the random numbers of one client: from 0 (included) to 1 (excluded). */
  readonly random: () => () => number;
  /** How long to retry an unanswered request; then the run ends. */
  readonly giveUpMs: number;
  /** How long to wait for one reply. */
  readonly patienceMs: number;
}

export interface RunResult {
  /** Whether every request was answered correctly and every order was found. */
  readonly ok: boolean;
  /** `false` if a request got no answer for `giveUpMs`, so that the run ended early. */
  readonly answered: boolean;
  readonly url: string;
  readonly type: RunType;
  readonly clients: number;
  readonly requests: number;
  readonly p: number;
  /** Duration of the lookups and trades, without the check of the orders. */
  readonly tookMs: number;
  readonly requestsPerSecond: number;
  readonly lookups: LatencySummary & { readonly hits: LatencySummary; readonly misses: LatencySummary };
  /** `refused` are the rejected trades; programs read it under this name. */
  readonly trades: LatencySummary & { readonly accepted: number; readonly refused: number };
  /** Queries of orders; `found` counts the orders that match their trades. */
  readonly orders: LatencySummary & { readonly found: number };
  /** Requests that were sent more than once. */
  readonly retried: number;
  readonly mismatches: Found;
  readonly failures: Found;
}

interface Found {
  readonly count: number;
  /** The first of them. */
  readonly first: readonly string[];
}

export type Progress = (phase: "requests" | "orders", done: number, total: number) => void;

/** The URL gave no answer, or not one of a bazaar, before the run began. */
export class NoBazaarError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NoBazaarError";
  }
}

/** Runs the clients. Rejects with NoBazaarError, or with the reason of `signal` when that aborts. */
export async function runSessions(options: RunOptions, progress: Progress, signal: AbortSignal): Promise<RunResult> {
  const { url, type, clients, requests, p, random, giveUpMs, patienceMs } = options;
  // Always requested, so that a URL without a bazaar is detected before the run begins.
  const known = await stockNames(options);
  const stocks = options.stocks ?? known;
  signal.throwIfAborted();
  const run = new Run(options, progress);
  const tradeProbability = type === "lookup" ? 0 : p;
  const session = { url, stocks, lookups: requests, tradeProbability, giveUpMs, patienceMs };
  const sessions = Array.from({ length: clients }, () => new Session({ ...session, random: random() }, run));
  const stop = () => sessions.forEach((each) => each.stop());
  run.onUnanswered = stop;
  signal.addEventListener("abort", stop);
  try {
    const startMs = performance.now();
    await Promise.all(sessions.map((each) => each.run()));
    run.tookMs = performance.now() - startMs;
    signal.throwIfAborted();
    if (type === "session-check" && run.answered) await run.checkOrders(signal);
    signal.throwIfAborted();
    return run.result();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The most stocks to trade: a list of hundreds of thousands would take longer than the run. */
const namesMax = 1000;

async function stockNames({ url, patienceMs }: RunOptions): Promise<string[]> {
  const client = new BazaarClient({ urls: [url], giveUpMs: 0, patienceMs });
  const reply = await client.request("GET", `/stocks?limit=${namesMax}`);
  client.close();
  if (reply.status === 0) throw new NoBazaarError(`no answer from ${url}: ${reply.reason}`);
  const data = at(reply.body, "data");
  if (reply.status !== 200 || !Array.isArray(data)) throw new NoBazaarError(describeRefusal(reply));
  const stocks: unknown[] = data;
  const names = stocks.map((stock) => at(stock, "name")).filter((name) => typeof name === "string");
  if (names.length === 0) throw new NoBazaarError(`${url}/stocks must list at least one stock (got none)`);
  return names;
}

class Run implements SessionEvents {
  readonly #options: RunOptions;
  readonly #progress: Progress;
  readonly #lookups = new Latencies();
  readonly #hits = new Latencies();
  readonly #misses = new Latencies();
  readonly #trades = new Latencies();
  readonly #orders = new Latencies();
  readonly #mismatches = new Findings();
  readonly #failures = new Findings();
  /** The acknowledged trades by order number. */
  readonly #acknowledged = new Map<number, TradeRecord>();
  #accepted = 0;
  #rejected = 0;
  #found = 0;
  #retried = 0;
  #done = 0;
  answered = true;
  tookMs = 0;
  onUnanswered = (): void => {};

  constructor(options: RunOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  lookedUp(record: StockRecord): void {
    this.#lookups.add(record);
    if (record.cache === "hit") this.#hits.add(record);
    // Without a cache all lookups are misses; without an `x-cache` header they are neither.
    else if (record.cache !== "") this.#misses.add(record);
    if (record.attempts > 1) this.#retried += 1;
    this.#done += 1;
    this.#progress("requests", this.#done, this.#options.clients * this.#options.requests);
  }

  traded(record: TradeRecord): void {
    const { orderNumber, status, reason, attempts } = record;
    this.#trades.add(record);
    if (attempts > 1) this.#retried += 1;
    if (!isOutcome(status, reason)) return;
    if (orderNumber === undefined) {
      this.#rejected += 1;
      return;
    }
    this.#accepted += 1;
    if (this.#acknowledged.has(orderNumber))
      this.mismatch(`two trades must not get the same number (got ${orderNumber} twice)`);
    this.#acknowledged.set(orderNumber, record);
  }

  mismatch(text: string): void {
    this.#mismatches.add(text);
  }

  failure(text: string): void {
    this.#failures.add(text);
  }

  unanswered(text: string): void {
    this.failure(text);
    this.answered = false;
    this.onUnanswered();
  }

  /** Queries every acknowledged order, over as many connections as there were clients. */
  async checkOrders(signal: AbortSignal): Promise<void> {
    const { url, clients, giveUpMs, patienceMs } = this.#options;
    const records = [...this.#acknowledged.values()];
    const giveUp = new AbortController();
    let done = 0;
    await queryAll({
      urls: [url],
      records,
      clients,
      giveUpMs,
      patienceMs,
      signal: AbortSignal.any([signal, giveUp.signal]),
      observe: (query) => {
        if (giveUp.signal.aborted || signal.aborted) return;
        this.#orders.add(query);
        if (query.attempts > 1) this.#retried += 1;
        const wrong = describeQuery(query);
        if (wrong === undefined) this.#found += 1;
        else if (isUnknown(query.status)) {
          this.unanswered(wrong);
          giveUp.abort();
        } else this.mismatch(wrong);
        done += 1;
        this.#progress("orders", done, records.length);
      },
    });
  }

  result(): RunResult {
    const { url, type, clients, requests, p } = this.#options;
    const lookups = this.#lookups.summary();
    const trades = this.#trades.summary();
    return {
      ok: this.#mismatches.count === 0 && this.#failures.count === 0,
      answered: this.answered,
      url,
      type,
      clients,
      requests,
      p,
      tookMs: Math.round(this.tookMs),
      requestsPerSecond: Math.round(((lookups.count + trades.count) * 1000) / Math.max(this.tookMs, 1)),
      lookups: { ...lookups, hits: this.#hits.summary(), misses: this.#misses.summary() },
      trades: { ...trades, accepted: this.#accepted, refused: this.#rejected },
      orders: { ...this.#orders.summary(), found: this.#found },
      retried: this.#retried,
      mismatches: { count: this.#mismatches.count, first: this.#mismatches.texts },
      failures: { count: this.#failures.count, first: this.#failures.texts },
    };
  }
}
