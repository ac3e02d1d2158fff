/**
 * What the processes say to each other, in plain values: the seam between the rules and the transport.
 * gRPC stands behind it in production; a test or a simulation may connect the same objects directly.
 *
 * Every call may reject with a BazaarError. `UNAVAILABLE` means unknown, never failed (R10).
 */

import type { Order, Outcome, Register, Seen, Stock, Trade } from "./domain.ts";
import type { BazaarError } from "./errors.ts";

/*
 * Every list goes in pages, each one message. The contract test of the links (test/contract/links.test.ts) sends the largest
 * page of the longest rows of each kind.
 */

/** Stocks in one page of the list. */
export const stocksPageMax = 1000;
/** Stocks that one call sets back to their quantity. */
export const restockPageMax = 1000;
/** Orders in one page. */
export const ordersPageMax = 5000;

/** One side of a two-way stream that is open. Messages arrive in order or not at all. */
export interface Stream<Sent> {
  send(message: Sent): void;
  /** Ends the stream, both ways; the handlers hear nothing more. */
  close(): void;
}

/** What the other side of a stream does to us. `ended` comes at most once, and last. */
export interface StreamHandlers<Received> {
  message(message: Received): void;
  ended(error?: BazaarError): void;
}

/** What a leader asks of the ledger to which it belongs. */
export interface LeaderRequest {
  readonly term: number;
  /** The last order that the leader has taken in; `undefined`: none. The ledger must hold it (else DIVERGED). */
  readonly last: Order | undefined;
}

export interface ApplyRequest extends LeaderRequest {
  readonly trades: readonly Trade[];
}

export interface RestockRequest extends LeaderRequest {
  readonly quantity: number;
  /** Only stocks with a greater name; empty: from the first. */
  readonly after: string;
}

/** A page of the stocks, sorted by name in the order of its UTF-8 bytes. */
export interface StocksRequest {
  /** Empty: from the first. */
  readonly start: string;
  /** Does a stock called `start` belong to the page? */
  readonly inclusive: boolean;
  /** A page holds at most `stocksPageMax`, however many are asked for. */
  readonly limit: number;
}

export interface StocksPage {
  readonly stocks: readonly Stock[];
  /** Of the ledger that the stocks are of. */
  readonly life: string;
  /** There are stocks after these. */
  readonly more: boolean;
}

export interface LookedUp {
  /** In the order of the names; `undefined` for an unknown one. */
  readonly stocks: readonly (Stock | undefined)[];
  /** Of the ledger that the stocks are of. */
  readonly life: string;
}

/** `outcomes` in the order of the trades; `orders` are the new rows only, ascending and without a gap. */
export interface Applied {
  readonly outcomes: readonly Outcome[];
  readonly orders: readonly Order[];
  readonly head: number;
}

export interface AcquireRequest {
  readonly replica: number;
  /** The term that the replica believes to be the newest: acquiring makes the next one. */
  readonly term: number;
  /** The replica's last order; `undefined`: none. The ledger must hold the same row (else DIVERGED). */
  readonly last: Order | undefined;
}

/** A front-end to the catalog: says that it is here, and what it has acknowledged. */
export interface TailRequest {
  /** New for every stream that is opened; never used again. */
  readonly session: string;
  readonly kind: "hello" | "renew" | "ack" | "goodbye";
  /** Every change up to this id is known to the session's cache. */
  readonly acked: number;
  /** Counts the renewals, so that a lease is counted from the sending of the right one (R8). */
  readonly sequence: number;
  /** With a hello: a session of the same front-end which it has given up and no longer serves from. */
  readonly replaces: string;
  /** With a hello: where the front-end listens and how it words its replies, for people who ask who is there. */
  readonly address: string;
  readonly dialect: string;
  /** With a hello: what the front-end has seen of the ledger. */
  readonly seen: Seen | undefined;
  /** With a hello: the length of the lease that the front-end had last, and the life that gave it; 0: none yet. */
  readonly leaseMs: number;
  readonly leaseLife: string;
}

/** A front-end that keeps a cache, as the catalog knows it. Not live: its lease has run out, and nobody said goodbye. */
export interface FrontEndState {
  readonly address: string;
  readonly live: boolean;
  /** How it words its routes and replies; one of another version may speak one that this version doesn't know. */
  readonly dialect: string;
}

export interface TailReply {
  /** The hello (0) or renewal that this answers; -1 for news that nobody asked for. */
  readonly sequence: number;
  /** The ledger's last id when this was sent, and its life. */
  readonly head: number;
  readonly life: string;
  /** How long a lease lasts from the sending of the request. */
  readonly leaseMs: number;
  /** With news, the stocks that have changed, as they are now. */
  readonly changes: readonly Stock[];
  /** With news, the last id before these changes: whoever doesn't know everything up to there has missed something. */
  readonly previousHead: number;
  /** With news: no other front-end may serve, so that what this one has taken in is settled by that alone (R7). */
  readonly alone: boolean;
  /** With the answer to a hello or a renewal: every front-end, by its address. */
  readonly frontEnds: readonly FrontEndState[];
}

/**
 * A catalog whose ledger was longer once answers everything with DIVERGED until a person has decided (R2). It learns that
 * from what it is asked: `seen` is what a caller has seen of the ledger, absent if it has seen nothing.
 */
export interface CatalogApi {
  /** R2. Rejects with FENCED or DIVERGED, and has done nothing, if the request is of another term or another history. */
  apply(request: ApplyRequest): Promise<Applied>;
  /**
   * Sets stocks that are at zero back to `quantity`, as orders of the house, sorted by name: the first `restockPageMax` with
   * a name after `after`. Rejects like `apply`.
   */
  restock(request: RestockRequest): Promise<Applied>;
  /** Answers when no front-end serves anything older than the change `upTo` any more (R7). */
  settle(upTo: number): Promise<void>;
  /** The settled state of each of these stocks. */
  lookup(names: readonly string[], seen?: Seen): Promise<LookedUp>;
  /** A page of the stocks, each in its settled state. */
  stocks(request: StocksRequest, seen?: Seen): Promise<StocksPage>;
  /** `SELECT … WHERE id > afterId ORDER BY id LIMIT limit`, of at most `ordersPageMax`. */
  ordersAfter(afterId: number, limit: number): Promise<Order[]>;
  /** `last`: what `seen` is for a replica, its last order. */
  register(seen?: Seen, last?: Order): Promise<Register>;
  /** R1. Rejects with STALE_TERM or DIVERGED. */
  acquire(request: AcquireRequest): Promise<Register>;
  tail(handlers: StreamHandlers<TailReply>): Stream<TailRequest>;
}

/** Follower to leader. The first message says where the follower stands; every later one is an acknowledgement. */
export interface FollowRequest {
  readonly replica: number;
  /** The last id that is durable on the follower's disk. */
  readonly lastId: number;
  /** With the first message: that order, `undefined` for none. The leader must hold the same row (else DIVERGED). */
  readonly last: Order | undefined;
}

/** Leader to follower: the next orders, or none as a sign of life. */
export interface FollowReply {
  readonly term: number;
  /** The leader's newest order when this was sent. */
  readonly tailId: number;
  readonly orders: readonly Order[];
}

export type RoleName = "follower" | "taking-over" | "leader";

/** Sent by every replica to whoever watches, at short intervals: its silence is the sign of a frozen process. */
export interface ReplicaStatus {
  readonly replica: number;
  readonly role: RoleName;
  readonly term: number;
  /** Whom this replica takes for the leader, 0 for nobody. */
  readonly leader: number;
  readonly lastId: number;
  /** On the leader: the followers that are live, and so waited for. */
  readonly liveFollowers: readonly number[];
  /** False on a leader whose last call to the catalog didn't get through: another leader may be able to (R1). */
  readonly reachesCatalog: boolean;
}

export interface TradesRequest {
  readonly trades: readonly Trade[];
  /** The caller tells nobody before what it is answered is settled (R7); else the leader waits for that, and then answers. */
  readonly callerSettles: boolean;
}

/** `outcomes` in the order of the trades. They rest on no change after `head`, in the ledger's `life`. */
export interface Traded extends Seen {
  readonly outcomes: readonly Outcome[];
}

export interface OrderApi {
  /** Each outcome is durable as R5 demands. `signal` gives the call up. */
  trade(request: TradesRequest, signal?: AbortSignal): Promise<Traded>;
  /** R6. */
  order(id: number, signal?: AbortSignal): Promise<Order | undefined>;
  /** Newest first, from below `before` (0: from the newest). */
  orders(request: { before: number; limit: number }, signal?: AbortSignal): Promise<Order[]>;
  /** R1. Asks the replica to lead with a term later than `afterTerm`; answers once it serves. */
  lead(afterTerm: number, signal?: AbortSignal): Promise<{ term: number }>;
  /** R1. A hint, adopted only for a greater term. */
  setLeader(leader: { term: number; leader: number }): Promise<void>;
  follow(handlers: StreamHandlers<FollowReply>): Stream<FollowRequest>;
  watch(handlers: StreamHandlers<ReplicaStatus>): Stream<never>;
}
