/** Clients that look stocks up without a pause, and the record of what they saw and when. */

import type { FailedLookup, LookupRecord } from "../checks/history.ts";
import { eventually } from "../cluster/wait.ts";
import { at } from "./client.ts";
import { HttpConnection, type HttpReply } from "./http-connection.ts";

export interface ReadersOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  readonly stocks: readonly string[];
  /** Between two lookups of one client; default: none. */
  readonly pauseMs?: number;
}

const retryMs = 20;

export class Readers {
  readonly #options: ReadersOptions;
  readonly #lookups: LookupRecord[] = [];
  readonly #failures: FailedLookup[] = [];
  readonly #connections: HttpConnection[] = [];
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

  /** Lookups without a reply, or with another one than 200. */
  get failures(): readonly FailedLookup[] {
    return this.#failures;
  }

  /** Resolves when this many more lookups are answered from a cache. */
  async moreHits(count: number, url: string): Promise<void> {
    const hits = () => this.#lookups.filter((lookup) => lookup.url === url && lookup.cache === "hit").length;
    const goal = hits() + count;
    await eventually(`${count} more hits in the cache of ${url}`, () => hits() >= goal);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  /** Lookups that are under way are given up. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#clients);
  }

  async #run(index: number): Promise<void> {
    const { urls, stocks, pauseMs = 0 } = this.#options;
    const url = urls[index % urls.length] ?? "";
    const connection = new HttpConnection(url);
    this.#connections.push(connection);
    for (let number = index; !this.#stopping; number += 1) {
      const name = stocks[number % stocks.length] ?? "";
      const failure = await this.#lookUp(connection, url, name);
      if (failure) this.#failures.push(failure);
      if (failure || pauseMs > 0) await Bun.sleep(failure ? retryMs : pauseMs);
    }
    connection.close();
  }

  async #lookUp(connection: HttpConnection, url: string, name: string): Promise<FailedLookup | undefined> {
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
    const rev = Number(headers.get("etag")?.replaceAll('"', ""));
    if (status !== 200 || typeof quantity !== "number") return { url, status, text };
    this.#lookups.push({ name, rev, quantity, cache: headers.get("x-cache") ?? "", url, startMs, endMs });
    return undefined;
  }
}
