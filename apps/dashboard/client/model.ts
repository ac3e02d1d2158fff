/** The state of the page, and how each event changes it. Pure: the time is an argument. */

import type { Sample, ServerEvent } from "@stock-bazaar/contract/events";
import type { Cluster, ListedOrder, ListedStock } from "@stock-bazaar/contract/replies";
import { happeningsBetween } from "./happenings.ts";

const samplesMax = 300;
const ordersMax = 40;
const happeningsMax = 12;

export interface Row extends ListedStock {
  /** Number of changes so far, so that each change can flash. */
  readonly changes: number;
  /** The last change of the quantity, and when the page heard of it. */
  readonly change: { readonly by: number; readonly atMs: number } | undefined;
}

export interface Happening {
  readonly id: number;
  readonly atMs: number;
  readonly text: string;
  /** Whether something got worse. */
  readonly bad: boolean;
}

/** An order in the list. `skipped` is the number of orders between it and the next older one in the list. */
export interface LatestOrder extends ListedOrder {
  readonly skipped: number;
}

export interface Model {
  readonly connection: "connecting" | "live" | "lost";
  /** When the last event arrived. */
  readonly lastEventMs: number | undefined;
  /** Whether this page may kill and freeze processes. */
  readonly faults: boolean;
  /** `undefined` until the first stocks have arrived. */
  readonly rows: readonly Row[] | undefined;
  /** The name of the last of `rows`, if there are stocks after it. */
  readonly next: string | undefined;
  /** Newest first. */
  readonly orders: readonly LatestOrder[];
  readonly cluster: Cluster | undefined;
  readonly samples: readonly Sample[];
  /** Newest first. */
  readonly happenings: readonly Happening[];
}

export const emptyModel: Model = {
  connection: "connecting",
  lastEventMs: undefined,
  faults: false,
  rows: undefined,
  next: undefined,
  orders: [],
  cluster: undefined,
  samples: [],
  happenings: [],
};

export function applyEvent(model: Model, { event, data }: ServerEvent, nowMs: number): Model {
  const current: Model = { ...model, lastEventMs: nowMs };
  switch (event) {
    case "hello": {
      const back = { ...current, connection: "live" as const, faults: data.faults };
      return model.connection === "lost" ? happened(back, [{ text: "Connected again", bad: false }], nowMs) : back;
    }
    case "history":
      return { ...current, samples: data.samples.slice(-samplesMax) };
    case "sample":
      return { ...current, samples: [...model.samples, data].slice(-samplesMax) };
    case "cluster":
      return happened({ ...current, cluster: data }, happeningsBetween(model.cluster, data), nowMs);
    case "stocks":
      return {
        ...current,
        rows: changedRows(model.rows ?? [], data, nowMs),
        next: data.complete ? data.next : model.next,
      };
    case "orders":
      return { ...current, orders: withOrders(model.orders, data.orders, data.skipped) };
  }
}

export function loseConnection(model: Model, nowMs: number): Model {
  if (model.connection !== "live") return { ...model, connection: "lost" };
  return happened({ ...model, connection: "lost" }, [{ text: "Connection to the front-end lost", bad: true }], nowMs);
}

function happened(model: Model, news: readonly { text: string; bad: boolean }[], atMs: number): Model {
  if (news.length === 0) return model;
  const firstId = (model.happenings[0]?.id ?? 0) + 1;
  const added = news.map((entry, index) => ({ ...entry, atMs, id: firstId + index })).toReversed();
  return { ...model, happenings: [...added, ...model.happenings].slice(0, happeningsMax) };
}

type Stocks = Pick<Extract<ServerEvent, { event: "stocks" }>["data"], "complete" | "stocks">;

function changedRows(rows: readonly Row[], { stocks, complete }: Stocks, nowMs: number): Row[] {
  const before = new Map(rows.map((row) => [row.name, row]));
  const after = new Map(complete ? [] : before);
  for (const stock of stocks) after.set(stock.name, changedRow(before.get(stock.name), stock, nowMs));
  return [...after.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function changedRow(before: Row | undefined, stock: ListedStock, nowMs: number): Row {
  if (!before) return { ...stock, changes: 0, change: undefined };
  const same = before.quantity === stock.quantity && before.price === stock.price && before.volume === stock.volume;
  if (same) return before;
  const by = stock.quantity - before.quantity;
  return { ...stock, changes: before.changes + 1, change: by === 0 ? before.change : { by, atMs: nowMs } };
}

function withOrders(before: readonly LatestOrder[], received: readonly ListedOrder[], skipped: number): LatestOrder[] {
  const news = received.map((order, index) => ({ ...order, skipped: index === received.length - 1 ? skipped : 0 }));
  const oldest = news.at(-1)?.number ?? 0;
  // After a long loss of the connection, the newest orders may arrive again, or belong to another ledger.
  const kept = before.filter(({ number }) => number < oldest);
  return [...news, ...kept].slice(0, ordersMax);
}
