/**
 * The live events for the dashboard: stocks, orders, cluster and traffic. One loop reads from the bazaar for all
 * listeners together, and only while there are any. Trades don't pass through it.
 *
 * The failure that it prevents: a client receives an order, looks up its stock elsewhere, and gets the quantity from
 * before the order. So the catalog returns only settled stocks (R7), and an order is sent only with or after a stock
 * whose revision is that order or a later one.
 *
 * A listener receives only the page of stocks that it shows. So the work for it doesn't grow with the number of stocks.
 *
 * The id of an `orders` event is the number of its newest order. It is valid on every front-end and after every
 * restart: a listener that reconnects sends the last id that it has received, and gets the orders after it, like a
 * replica.
 */

import type { Sample } from "@stock-bazaar/contract/events";
import type { StocksPage, StocksRequest } from "@stock-bazaar/shared/api";
import { type Clock, every, wallTime } from "@stock-bazaar/shared/clock";
import type { Order, Stock } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Bazaar, ClusterState } from "../bazaar.ts";
import { describeCluster } from "../http/cluster-view.ts";
import { encode, encodeOrders, newsOf, ordersMax } from "./event-text.ts";
import { type Counters, trafficBetween } from "./traffic.ts";

/** Interval between two looks at the cluster: the shortest interval between two events of one kind. */
const lookMs = 200;
/**
 * Interval between two samples of the traffic. They are also signs of life: without them, a listener assumes that the
 * connection is lost.
 */
const sampleMs = 1000;
/** Samples that are kept: five minutes. */
const samplesMax = 300;
/** Maximum of orders for a listener that reconnects. The rest is counted as skipped. */
const resumedOrdersMax = 200;
/** Pause after a read, in multiples of its duration: reading must not become the main work of the process. */
const restFactor = 4;
/** Maximum number of different pages of stocks. */
const pagesMax = 100;

export interface EventFeedOptions {
  readonly bazaar: Pick<Bazaar, "cluster" | "orders" | "stocks" | "stocksNamed">;
  /** Returns the latencies of the trades through this front-end. */
  readonly takeTradeTimes: () => Float64Array;
  readonly clock: Clock;
  /** True if listeners may kill the leader. */
  readonly faults: boolean;
  /** Leaves the details of the cluster out, which not every listener may see. Default: false. */
  readonly hidesDetails?: boolean;
  /** Default: no limit. */
  readonly listenersMax?: number;
}

/** A receiver of events. Its methods must not throw. */
export interface Listener {
  /** Receives one or more whole events. */
  send(text: string): void;
  end(): void;
}

export interface Wanted {
  /** The last order that the listener has received. */
  readonly afterId: number | undefined;
  readonly stocks: StocksRequest;
}

/** A page of stocks that some listeners show. */
interface ShownPage {
  readonly request: StocksRequest;
  listeners: number;
  /** The page as it was sent last. */
  sent: StocksPage | undefined;
}

interface Listening {
  readonly listener: Listener;
  readonly page: ShownPage;
  /** The last order that the listener has received; `undefined` if it wants the newest orders. */
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
  /** The pages that are shown, by their requests. */
  readonly #pages = new Map<string, ShownPage>();
  /** The number of stocks when the pages were last read. */
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

  /** Takes samples of the traffic even while there are no listeners, so that a new listener gets the last minutes. */
  start(): void {
    this.#always = true;
    this.#lookNow();
  }

  /** Ends every stream: open streams would keep the server from stopping. */
  stop(): void {
    this.#stopped = true;
    this.#cancelLooks();
    for (const { listener } of this.#listening) listener.end();
    this.#listening.clear();
    this.#pages.clear();
  }

  /**
   * Adds a listener, and returns a function that removes it. Throws UNAVAILABLE after `stop`, and OVERLOADED if there
   * are too many listeners or different pages.
   */
  listen(listener: Listener, { afterId, stocks }: Wanted): () => void {
    if (this.#stopped) throw new BazaarError("UNAVAILABLE", "this front-end is stopping");
    const { listenersMax = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#listening.size >= listenersMax) {
      throw new BazaarError("OVERLOADED", `at most ${listenersMax} listeners may be connected`);
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
      if (this.#pages.size >= pagesMax)
        throw new BazaarError("OVERLOADED", `at most ${pagesMax} different pages may be shown`);
      page = { request, listeners: 0, sent: undefined };
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

  /** Looks at once, and then at an interval, until the feed is no longer wanted. */
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
      this.#sendCluster(cluster);
      this.#sample(cluster);
      // Not awaited: while the catalog is away, a read takes as long as a request may take.
      if (this.#isReadingDue(cluster)) void this.#read(cluster.catalog.stocks);
    } catch {
      // The next look tries again.
    }
    this.#looking = false;
    if (!this.#wanted) this.#cancelLooks();
  }

  #sendCluster(cluster: ClusterState): void {
    const text = encode("cluster", describeCluster(cluster, this.#options.hidesDetails !== true).data);
    const changed = text !== this.#cluster;
    this.#cluster = text;
    for (const listening of this.#listening) {
      if (changed || !listening.hasCluster) listening.listener.send(text);
      listening.hasCluster = true;
    }
  }

  #sample({ catalog, cache }: ClusterState): void {
    const { clock, takeTradeTimes } = this.#options;
    const before = this.#counters;
    if (before && clock.nowMs() - before.atMs < sampleMs) return;
    const after: Counters = {
      atMs: clock.nowMs(),
      head: catalog.head,
      hits: cache.hits,
      misses: cache.misses,
    };
    const tradeTimesMs = takeTradeTimes();
    this.#counters = after;
    // After a long gap between two looks, the counters don't show in which second the events happened.
    if (!before || after.atMs - before.atMs > 5 * sampleMs) return;
    const sample: Sample = { at: wallTime(clock), ...trafficBetween(before, after, tradeTimesMs) };
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
    const text = encode("sample", sample);
    for (const { listener } of this.#listening) listener.send(text);
  }

  /** True if there is a new listener, a new order, or a new stock: no order reveals a new stock. */
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
      // The stocks are read after the orders, so they include all of them. Under load the newest orders aren't settled
      // yet.
      const pages = new Map<ShownPage, StocksPage>();
      for (const page of this.#pages.values()) pages.set(page, await bazaar.stocks(page.request));
      const shown = [...pages.values()].flatMap(({ stocks }) => stocks);
      const settledId = newestRev([...shown, ...(await this.#stocksBeside(shown, orders))]);
      this.#send(
        orders.filter(({ id }) => id <= settledId),
        settledId,
        pages,
      );
      this.#stockCount = stockCount;
    } catch {
      // No leader or no catalog: the next look tries again.
    }
    this.#reading = false;
    this.#restUntilMs = clock.nowMs() + (clock.nowMs() - startMs) * restFactor;
  }

  /** Reads the stocks of the orders that are on no page: only their revisions show whether those orders are settled. */
  async #stocksBeside(shown: readonly Stock[], orders: readonly Order[]): Promise<readonly Stock[]> {
    const names = new Set(orders.map(({ name }) => name));
    for (const { name } of shown) names.delete(name);
    return names.size === 0 ? [] : this.#options.bazaar.stocksNamed([...names]);
  }

  get #ordersWanted(): number {
    const isResumed = [...this.#listening].some(({ hasStocks, orderId }) => !hasStocks && orderId !== undefined);
    return isResumed ? resumedOrdersMax : ordersMax;
  }

  /** Sends each listener the stocks and orders that it hasn't received. `settled` is sorted, newest first. */
  #send(settled: readonly Order[], settledId: number, pages: ReadonlyMap<ShownPage, StocksPage>): void {
    const stockNews = new Map([...pages].map(([shown, read]) => [shown, newsOf(shown.sent, read)]));
    for (const [shown, read] of pages) shown.sent = read;
    const orderNews = new Map<number | undefined, string>();

    for (const listening of this.#listening) {
      const stocks = stockNews.get(listening.page);
      // The listener's page wasn't shown yet when the stocks were read.
      if (stocks === undefined) continue;
      // An id that doesn't exist yet is of another ledger.
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
