/** Clients that look up stocks all the time, and the records of the replies and their times. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import { revOfTag } from "@stock-bazaar/contract/stock-tag";
import type { HttpReply } from "@stock-bazaar/client/http-connection";
import { LoadConnection } from "@stock-bazaar/client/load-connection";
import { eventually } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import type { FailedLookup, LookupRecord } from "../checks/history.ts";

export interface ReadersOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  readonly stocks: readonly string[];
  /** Pause between two lookups of one client; default: none. */
  readonly pauseMs?: number;
  /** How long a client waits for an answer; default: no limit. */
  readonly patienceMs?: number;
}

const retryMs = 20;
/** The most extra lookups in flight at one front-end: a frozen front-end keeps that many waiting. */
const extraMax = 40;

export class Readers {
  readonly #options: ReadersOptions;
  readonly #lookups: LookupRecord[] = [];
  readonly #failures: FailedLookup[] = [];
  readonly #connections: LoadConnection[] = [];
  /** For each front-end, the idle connections of `lookUpNow`. */
  readonly #free = new Map<string, LoadConnection[]>();
  readonly #extra = new Map<string, number>();
  readonly #extraUnderWay = new Set<Promise<void>>();
  readonly #clients: Promise<void>[];
  #stopping = false;

  /** Starts at once. */
  constructor(options: ReadersOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, (_, index) => this.#run(index));
  }

  get lookups(): readonly LookupRecord[] {
    return this.#lookups;
  }

  /** Lookups without a reply, or with a reply other than 200. */
  get failures(): readonly FailedLookup[] {
    return this.#failures;
  }

  /** Resolves when this many more lookups are answered from the cache of this front-end. */
  async moreHits(count: number, url: string): Promise<void> {
    const hits = () => this.#lookups.filter((lookup) => lookup.url === url && lookup.cache === "hit").length;
    const goal = hits() + count;
    await eventually(`${count} more hits in the cache of ${url}`, () => hits() >= goal);
  }

  /**
   * Starts one extra lookup now. Only lookups that begin after a change was acknowledged can be stale, and while a
   * front-end is frozen, the lookups of its regular clients all began before.
   */
  lookUpNow(url: string, name: string): void {
    if (this.#stopping || (this.#extra.get(url) ?? 0) >= extraMax) return;
    const underWay = this.#lookUpExtra(url, name).finally(() => this.#extraUnderWay.delete(underWay));
    this.#extraUnderWay.add(underWay);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#clients, ...this.#extraUnderWay]);
    for (const connection of this.#connections) connection.close();
  }

  /** Stops at once; abandons lookups in flight. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    for (const connection of this.#connections) connection.close();
    await this.stop();
  }

  async #run(index: number): Promise<void> {
    const { urls, stocks, pauseMs = 0 } = this.#options;
    const url = urls[index % urls.length] ?? "";
    const connection = this.#connect(url);
    for (let number = index; !this.#stopping; number += 1) {
      const name = stocks[number % stocks.length] ?? "";
      const failure = await this.#lookUp(connection, url, name);
      if (failure) this.#failures.push(failure);
      if (failure || pauseMs > 0) await Bun.sleep(failure ? retryMs : pauseMs);
    }
  }

  async #lookUpExtra(url: string, name: string): Promise<void> {
    this.#extra.set(url, (this.#extra.get(url) ?? 0) + 1);
    const free = this.#free.get(url) ?? [];
    this.#free.set(url, free);
    const connection = free.pop() ?? this.#connect(url);
    const failure = await this.#lookUp(connection, url, name);
    if (failure) this.#failures.push(failure);
    free.push(connection);
    this.#extra.set(url, (this.#extra.get(url) ?? 0) - 1);
  }

  #connect(url: string): LoadConnection {
    const connection = new LoadConnection(url, this.#options.patienceMs);
    this.#connections.push(connection);
    return connection;
  }

  async #lookUp(connection: LoadConnection, url: string, name: string): Promise<FailedLookup | undefined> {
    const startMs = performance.now();
    let reply: HttpReply;
    try {
      reply = await connection.request("GET", `/stocks/${name}`, {});
    } catch (error) {
      return { url, status: 0, text: String(error) };
    }
    const endMs = performance.now();
    const { status, headers, text } = reply;
    const quantity = at(JSON.parse(text), "data", "quantity");
    const rev = revOfTag(headers.get("etag"));
    if (status !== 200 || typeof quantity !== "number" || rev === undefined) return { url, status, text };
    this.#lookups.push({ name, rev, quantity, cache: headers.get(cacheHeader) ?? "", url, startMs, endMs });
    return undefined;
  }
}
