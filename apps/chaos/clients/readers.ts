/** Clients that look stocks up without a pause, and the record of what they saw and when. */

import type { LookupRecord } from "../checks/history.ts";
import { eventually } from "../cluster/wait.ts";
import { at } from "./client.ts";
import { HttpConnection } from "./http-connection.ts";

export interface ReadersOptions {
  readonly urls: readonly string[];
  readonly clients: number;
  readonly stocks: readonly string[];
}

export class Readers {
  readonly #options: ReadersOptions;
  readonly #lookups: LookupRecord[] = [];
  readonly #failures: string[] = [];
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
  get failures(): readonly string[] {
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

  async #run(index: number): Promise<void> {
    const { urls, stocks } = this.#options;
    const url = urls[index % urls.length] ?? "";
    const connection = new HttpConnection(url);
    for (let number = index; !this.#stopping; number += 1) {
      const name = stocks[number % stocks.length] ?? "";
      const startMs = performance.now();
      try {
        const { status, headers, text } = await connection.request("GET", `/stocks/${name}`, {});
        const endMs = performance.now();
        const quantity = at(JSON.parse(text), "data", "quantity");
        const rev = Number(headers.get("etag")?.replaceAll('"', ""));
        if (status !== 200 || typeof quantity !== "number") throw new Error(`${status} ${text}`);
        this.#lookups.push({ name, rev, quantity, cache: headers.get("x-cache") ?? "", url, startMs, endMs });
      } catch (error) {
        this.#failures.push(`${url}: ${String(error)}`);
        await Bun.sleep(20);
      }
    }
    connection.close();
  }
}
