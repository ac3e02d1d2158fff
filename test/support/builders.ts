/** Builds values for tests from defaults: a scenario names only the fields that matter to it. */

import type {
  FollowRequest,
  ReplicaStatus,
  StocksRequest,
  TailReply,
  TailRequest,
  Traded,
  TradesCall,
  TradesRequest,
} from "@stock-bazaar/shared/api";
import { OrderBatch, packOutcomes, packTrades } from "@stock-bazaar/shared/batches";
import type { KnownStock } from "@stock-bazaar/front-end/bazaar";
import type { Order, Outcome, Register, Stock, Trade } from "@stock-bazaar/shared/domain";

export const createdAt = "2026-01-01T00:00:00.000Z";

export function tradeOf(key: string, change: Partial<Trade> = {}): Trade {
  return { key, name: "GameStart", type: "buy", quantity: 1, requestId: `request-${key}`, ...change };
}

/** Builds `count` trades whose keys begin with `prefix`. */
export function tradesOf(prefix: string, count: number, change: Partial<Trade> = {}): Trade[] {
  return Array.from({ length: count }, (_, index) => tradeOf(`${prefix}-${index}`, change));
}

/** The call of a front-end whose keys may all be known. */
export function callOf(...trades: readonly Trade[]): TradesCall {
  return { trades: packTrades(trades), count: trades.length, minted: false };
}

/** The request of a front-end that leaves the settlement to the leader. */
export function asking(...trades: readonly Trade[]): TradesRequest {
  return { ...callOf(...trades), callerSettles: false };
}

export function traded(outcomes: readonly Outcome[], head = 0): Traded {
  return { outcomes: packOutcomes(outcomes), head, life: "life" };
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

/** Builds the orders from `firstId` to `lastId`. */
export function ordersOf(firstId: number, lastId: number): Order[] {
  return Array.from({ length: Math.max(0, lastId - firstId + 1) }, (_, index) => orderOf(firstId + index));
}

/** The orders from `firstId` to `lastId`, as they travel. */
export function batchOf(firstId: number, lastId: number): OrderBatch {
  return new OrderBatch(ordersOf(firstId, lastId));
}

export function stockOf(name: string, change: Partial<Stock> = {}): Stock {
  return { name, priceCents: 1599, quantity: 100, volume: 0, rev: 0, ...change };
}

/** A stock as a front-end receives it. */
export function knownStockOf(name: string, change: Partial<KnownStock> = {}): KnownStock {
  return { ...stockOf(name), life: "life", ...change };
}

/** The request of the first page, as long as a page may be. */
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

/** The message of a front-end that has seen nothing of the ledger. */
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

/** The message in which a follower reports its last order. */
export function positionOf(replica: number, last: Order | undefined): FollowRequest {
  return { replica, lastId: last?.id ?? 0, last };
}

/** The message in which a follower acknowledges orders, after it has reported its last order. */
export function acknowledgementOf(replica: number, lastId: number): FollowRequest {
  return { replica, lastId, last: undefined };
}

export function accepted(orderId: number, replayed = false): Outcome {
  return { status: "accepted", orderId, replayed };
}
