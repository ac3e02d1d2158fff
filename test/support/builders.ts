/** Values for tests: only what a scenario is about needs to be said. */

import type {
  FollowRequest,
  ReplicaStatus,
  StocksRequest,
  TailReply,
  TailRequest,
  Traded,
  TradesRequest,
} from "@stock-bazaar/shared/api";
import type { KnownStock } from "@stock-bazaar/front-end/bazaar";
import type { Order, Outcome, Register, Stock, Trade } from "@stock-bazaar/shared/domain";

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
  return { outcomes, head, life: "life" };
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

/** As a front-end knows it. */
export function knownStockOf(name: string, change: Partial<KnownStock> = {}): KnownStock {
  return { ...stockOf(name), life: "life", ...change };
}

/** From the first, as many as a page holds. */
export const allStocks: StocksRequest = { start: "", inclusive: false, limit: 1000 };

export function registerOf(change: Partial<Register> = {}): Register {
  return { term: 0, leader: 0, head: 0, life: "life", stocks: 0, ...change };
}

export function statusOf(replica: number, change: Partial<ReplicaStatus> = {}): ReplicaStatus {
  return {
    replica,
    role: "follower",
    term: 0,
    leader: 0,
    lastId: 0,
    liveFollowers: [],
    reachesCatalog: true,
    ...change,
  };
}

/** From a front-end that has seen nothing of the ledger yet. */
export function tailRequestOf(
  session: string,
  kind: TailRequest["kind"],
  change: Partial<TailRequest> = {},
): TailRequest {
  return {
    session,
    kind,
    acked: 0,
    sequence: 0,
    replaces: "",
    address: "",
    dialect: "",
    seen: undefined,
    leaseMs: 0,
    leaseLife: "",
    ...change,
  };
}

export function tailReplyOf(sequence: number, head: number, change: Partial<TailReply> = {}): TailReply {
  return {
    sequence,
    head,
    life: "life",
    leaseMs: 500,
    changes: [],
    previousHead: head,
    alone: false,
    frontEnds: [],
    ...change,
  };
}

/** A follower says where it stands. */
export function positionOf(replica: number, last: Order | undefined): FollowRequest {
  return { replica, lastId: last?.id ?? 0, last };
}

/** A follower that said before where it stands acknowledges orders. */
export function acknowledgementOf(replica: number, lastId: number): FollowRequest {
  return { replica, lastId, last: undefined };
}

export function accepted(orderId: number, replayed = false): Outcome {
  return { status: "accepted", orderId, replayed };
}
