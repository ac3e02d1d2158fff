/** Values for tests: only what a scenario is about needs to be said. */

import type { Traded, TradesRequest } from "@stock-bazaar/shared/api";
import type { Order, Outcome, Stock, Trade } from "@stock-bazaar/shared/domain";

export const createdAt = "2026-01-01T00:00:00.000Z";

export function tradeOf(key: string, change: Partial<Trade> = {}): Trade {
  return { key, name: "GameStart", type: "buy", quantity: 1, requestId: `request-${key}`, ...change };
}

/** `count` trades with keys that appear nowhere else. */
export function tradesOf(prefix: string, count: number, change: Partial<Trade> = {}): Trade[] {
  return Array.from({ length: count }, (_, index) => tradeOf(`${prefix}-${index}`, change));
}

/** As a front-end asks that leaves the settlement to the leader. */
export function asking(...trades: readonly Trade[]): TradesRequest {
  return { trades, callerSettles: false };
}

export function traded(outcomes: readonly Outcome[], head = 0): Traded {
  return { outcomes, head };
}

export function orderOf(id: number, change: Partial<Order> = {}): Order {
  return {
    id,
    key: `key-${id}`,
    name: "GameStart",
    type: "buy",
    quantity: 1,
    priceCents: 1599,
    term: 1,
    createdAt,
    ...change,
  };
}

/** The orders from `firstId` to `lastId`. */
export function ordersOf(firstId: number, lastId: number): Order[] {
  return Array.from({ length: Math.max(0, lastId - firstId + 1) }, (_, index) => orderOf(firstId + index));
}

export function stockOf(name: string, change: Partial<Stock> = {}): Stock {
  return { name, priceCents: 1599, quantity: 100, volume: 0, rev: 0, ...change };
}

export function accepted(orderId: number, replayed = false): Outcome {
  return { status: "accepted", orderId, replayed };
}
