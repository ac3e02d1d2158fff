/**
 * What the dashboard is told, as it happens: the stocks, the orders, the cluster and the traffic. One loop asks the
 * bazaar for all listeners together, and only while there are any, so a trade on its way doesn't know of them.
 *
 * The failure that it prevents: somebody sees an order here, looks its stock up elsewhere, and finds the quantity from
 * before. So the stocks come settled from the catalog (R7), and an order is told only when a stock told with it, or
 * before, is of that order or a later one.
 *
 * A listener is told of a page of the stocks, the one that it shows, however many there are: what is read for it doesn't
 * grow with them.
 *
 * An order's event carries its number as id. The number is good on every front-end and after every restart: whoever
 * comes back says which it saw last, and is told what came after, like a replica.
 */

import type { Sample } from "@stock-bazaar/contract/events";
import type { StocksPage, StocksRequest } from "@stock-bazaar/shared/api";
import { type Clock, every, wallTime } from "@stock-bazaar/shared/clock";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Bazaar, ClusterState } from "../bazaar.ts";
import { describeCluster } from "../http/cluster-view.ts";
import type { LatencyBucket } from "../http/latency.ts";
import { encode, encodeOrders, newsOf, ordersMax } from "./event-text.ts";
import { type Counters, trafficBetween } from "./traffic.ts";

/** Between two looks at the cluster, and so between two events of one kind at most. */
const lookMs = 200;
/** A sample of the traffic; it is also the sign of life without which a listener takes the connection for lost. */
const sampleMs = 1000;
/** Five minutes. */
const samplesMax = 300;
/** At most for one who comes back: the rest is counted as skipped. */
const resumedOrdersMax = 200;
/** Reading for many listeners must not become its main work: it rests this many times longer than the reading took. */
const restFactor = 4;
const listenersMax = 1000;
/** Different pages of the stocks that are read at once. */
const pagesMax = 100;

export interface EventFeedOptions {
  readonly bazaar: Pick<Bazaar, "cluster" | "orders" | "stocks" | "stocksNamed">;
  /** Of the trades through this front-end. */
  readonly tradeLatencies: () => readonly LatencyBucket[];
  readonly clock: Clock;
  /** May whoever sees the events kill the leader? */
  readonly faults: boolean;
}

/** Somebody who listens. Neither call may throw. */
export interface Listener {
  /** One or more whole events. */
  send(text: string): void;
  end(): void;
}

export interface Wanted {
  /** The last order that the listener knows. */
  readonly afterId: number | undefined;
  readonly stocks: StocksRequest;
}

/** A page of the stocks that is shown somewhere, as it was told last. */
interface ShownPage {
  readonly request: StocksRequest;
  listeners: number;
  told: StocksPage | undefined;
}

interface Listening {
  readonly listener: Listener;
  readonly page: ShownPage;
  /** The last order told, or said to be known. `undefined`: the newest will do. */
  orderId: number | undefined;
  hasStocks: boolean;
  hasCluster: boolean;
}

export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #listening = new Set<Listening>();
  readonly #samples: Sample[] = [];
  #counters: Counters | undefined;
  #cluster = "";
  /** Those that are shown, by their requests. */
  readonly #pages = new Map<string, ShownPage>();
  /** How many stocks there were when the pages were read last. */
  #stockCount: number | undefined;
  #reading = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #looking = false;
  #always = false;
  #stopped = false;
  #cancelLooks = () => {};

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** Takes samples of the traffic also while nobody listens, so that a newcomer sees the last minutes. */
  start(): void {
    this.#always = true;
    this.#lookNow();
  }

  /** Ends every stream: they would keep the server from stopping. */
  stop(): void {
    this.#stopped = true;
    this.#cancelLooks();
    for (const { listener } of this.#listening) listener.end();
    this.#listening.clear();
    this.#pages.clear();
  }

  /**
   * Returns what ends it from the listener's side. Throws UNAVAILABLE after `stop`, OVERLOADED with too many listeners, or
   * too many different pages.
   */
  listen(listener: Listener, { afterId, stocks }: Wanted): () => void {
    if (this.#stopped) throw new BazaarError("UNAVAILABLE", "this front-end is stopping");
    if (this.#listening.size >= listenersMax) {
      throw new BazaarError("OVERLOADED", `${listenersMax} listeners are there already`);
    }
    const page = this.#open(stocks);
    const listening: Listening = { listener, page, orderId: afterId, hasStocks: false, hasCluster: false };
    listener.send(
      encode("hello", { faults: this.#options.faults }) +
        encode("history", { interval_ms: sampleMs, samples: this.#samples }),
    );
    this.#listening.add(listening);
    this.#lookNow();
    return () => {
      if (this.#listening.delete(listening)) this.#leave(page);
    };
  }

  #open(request: StocksRequest): ShownPage {
    const key = keyOf(request);
    let page = this.#pages.get(key);
    if (page === undefined) {
      if (this.#pages.size >= pagesMax) throw new BazaarError("OVERLOADED", `${pagesMax} pages are shown already`);
      page = { request, listeners: 0, told: undefined };
      this.#pages.set(key, page);
    }
    page.listeners += 1;
    return page;
  }

  #leave(page: ShownPage): void {
    page.listeners -= 1;
    if (page.listeners === 0) this.#pages.delete(keyOf(page.request));
  }

  get #wanted(): boolean {
    return !this.#stopped && (this.#always || this.#listening.size > 0);
  }

  /** Looks at once, and from then on as often as is worth it, until nobody wants it any more. */
  #lookNow(): void {
    if (this.#looking) return;
    this.#cancelLooks();
    const delayMs = () => (this.#listening.size > 0 ? lookMs : sampleMs);
    this.#cancelLooks = every(this.#options.clock, delayMs, () => this.#look(), { firstMs: 0 });
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      const cluster = await this.#options.bazaar.cluster();
      this.#tellCluster(cluster);
      this.#sample(cluster);
      // Not waited for: while the catalog is away this takes as long as any request may.
      if (this.#isReadingDue(cluster)) void this.#read(cluster.catalog.stocks);
    } catch {
      // The state of the cluster says who is away; the next look may know more.
    }
    this.#looking = false;
    if (!this.#wanted) this.#cancelLooks();
  }

  #tellCluster(cluster: ClusterState): void {
    const text = encode("cluster", describeCluster(cluster).data);
    const changed = text !== this.#cluster;
    this.#cluster = text;
    for (const listening of this.#listening) {
      if (changed || !listening.hasCluster) listening.listener.send(text);
      listening.hasCluster = true;
    }
  }

  #sample({ catalog, cache }: ClusterState): void {
    const { clock, tradeLatencies } = this.#options;
    const before = this.#counters;
    if (before && clock.nowMs() - before.atMs < sampleMs) return;
    const after: Counters = {
      atMs: clock.nowMs(),
      head: catalog.head,
      hits: cache.hits,
      misses: cache.misses,
      tradeLatencies: tradeLatencies(),
    };
    this.#counters = after;
    // Without a look for a while nobody can say in which second it happened.
    if (!before || after.atMs - before.atMs > 5 * sampleMs) return;
    const sample: Sample = { at: wallTime(clock), ...trafficBetween(before, after) };
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
    const text = encode("sample", sample);
    for (const { listener } of this.#listening) listener.send(text);
  }

  /** Something new: a listener, an order, or a stock, which no order tells of. */
  #isReadingDue({ catalog: { head, stocks }, leader }: ClusterState): boolean {
    if (head === undefined || leader === 0 || this.#reading) return false;
    if (this.#options.clock.nowMs() < this.#restUntilMs) return false;
    const isOutdated = stocks !== this.#stockCount;
    return [...this.#listening].some(({ hasStocks, orderId }) => isOutdated || !hasStocks || orderId !== head);
  }

  async #read(stockCount: number | undefined): Promise<void> {
    const { bazaar, clock } = this.#options;
    const startMs = clock.nowMs();
    this.#reading = true;
    try {
      const orders = await bazaar.orders({ before: 0, limit: this.#ordersWanted });
      // Read after the orders, the stocks are of all of them: under load the newest orders aren't settled for a moment.
      const pages = new Map<ShownPage, StocksPage>();
      for (const page of this.#pages.values()) pages.set(page, await bazaar.stocks(page.request));
      const shown = [...pages.values()].flatMap(({ stocks }) => stocks);
      const settledId = newestRev([...shown, ...(await this.#stocksBeside(shown, orders))]);
      this.#tell(
        orders.filter(({ id }) => id <= settledId),
        settledId,
        pages,
      );
      this.#stockCount = stockCount;
    } catch {
      // No leader, or no catalog: tried again as long as somebody listens.
    }
    this.#reading = false;
    this.#restUntilMs = clock.nowMs() + (clock.nowMs() - startMs) * restFactor;
  }

  /** The stocks of the orders that are on no page: whether those orders are settled, nothing else can say. */
  async #stocksBeside(shown: readonly Stock[], orders: readonly Order[]): Promise<readonly Stock[]> {
    const names = new Set(orders.map(({ name }) => name));
    for (const { name } of shown) names.delete(name);
    return names.size === 0 ? [] : this.#options.bazaar.stocksNamed([...names]);
  }

  get #ordersWanted(): number {
    const isResumed = [...this.#listening].some(({ hasStocks, orderId }) => !hasStocks && orderId !== undefined);
    return isResumed ? resumedOrdersMax : ordersMax;
  }

  /** `settled`: newest first. */
  #tell(settled: readonly Order[], settledId: number, pages: ReadonlyMap<ShownPage, StocksPage>): void {
    const stockNews = new Map([...pages].map(([shown, read]) => [shown, newsOf(shown.told, read)]));
    for (const [shown, read] of pages) shown.told = read;
    const orderNews = new Map<number | undefined, string>();

    for (const listening of this.#listening) {
      const stocks = stockNews.get(listening.page);
      // Its page wasn't shown yet when the stocks were read.
      if (stocks === undefined) continue;
      // A number that nobody has yet is of another ledger.
      if (listening.orderId !== undefined && listening.orderId > settledId) listening.orderId = undefined;
      const { orderId } = listening;
      let text = orderNews.get(orderId);
      if (text === undefined) orderNews.set(orderId, (text = encodeOrders(settled, orderId)));
      text = (listening.hasStocks ? stocks.changes : stocks.whole()) + text;
      listening.hasStocks = true;
      listening.orderId = Math.max(orderId ?? 0, settled[0]?.id ?? 0);
      if (text !== "") listening.listener.send(text);
    }
  }
}

function newestRev(stocks: readonly Stock[]): number {
  return stocks.reduce((id, { rev }) => Math.max(id, rev), 0);
}

function keyOf({ start, inclusive, limit }: StocksRequest): string {
  return JSON.stringify([start, inclusive, limit]);
}
