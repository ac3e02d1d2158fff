/** Encodes the events of the dashboard: only what a listener has not received yet. Pure. */

import type { ServerEvent } from "@stock-bazaar/contract/events";
import type { StocksPage } from "@stock-bazaar/shared/api";
import type { Order } from "@stock-bazaar/shared/domain";
import { describeOrder, describeStock } from "../http/listing.ts";

/** How many of the newest orders a new listener gets, and the maximum in one event. */
export const ordersMax = 50;

export interface PageNews {
  /** The event for a new listener. */
  readonly whole: () => string;
  /** The event for a listener that has the previous state of the page; empty if nothing has changed. */
  readonly changes: string;
}

/** Returns the events for a page that was just read, compared with its previous state. */
export function newsOf(before: StocksPage | undefined, { stocks, more, life }: StocksPage): PageNews {
  const whole = once(() => {
    const next = more ? stocks.at(-1)?.name : undefined;
    const data = { complete: true, stocks: stocks.map(describeStock) };
    return encode("stocks", next === undefined ? data : { ...data, next });
  });
  if (before === undefined) return { whole, changes: "" };
  const isSamePage =
    before.life === life &&
    before.more === more &&
    before.stocks.length === stocks.length &&
    stocks.every(({ name }, index) => before.stocks[index]?.name === name);
  if (!isSamePage) return { whole, changes: whole() };
  const changed = stocks.filter(({ rev }, index) => before.stocks[index]?.rev !== rev);
  if (changed.length === 0) return { whole, changes: "" };
  return { whole, changes: encode("stocks", { complete: false, stocks: changed.map(describeStock) }) };
}

/** Encodes the orders after `afterId`, newest first; "" if there are none. `skipped` counts those that are left out. */
export function encodeOrders(orders: readonly Order[], afterId: number | undefined): string {
  const news = afterId === undefined ? orders.slice(0, ordersMax) : orders.filter(({ id }) => id > afterId);
  const [newest] = news;
  const oldest = news.at(-1);
  if (!newest || !oldest) return "";
  const skipped = afterId === undefined ? 0 : oldest.id - afterId - 1;
  return encode("orders", { skipped, orders: news.map(describeOrder) }, newest.id);
}

type DataOf<Name extends ServerEvent["event"]> = Extract<ServerEvent, { readonly event: Name }>["data"];

/** Encodes one event. */
export function encode<Name extends ServerEvent["event"]>(event: Name, data: DataOf<Name>, id?: number): string {
  return `event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
