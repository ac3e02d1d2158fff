/**
 * The interfaces between the processes, in plain values: the seam between the rules and the transport.
 *
 * In production gRPC implements them; tests and simulations connect the same objects directly. Every call may reject
 * with a BazaarError. `UNAVAILABLE` means unknown, never failed (R10).
 */

import type { OrderBatch } from "./batches.ts";
import type { Order, Register, Seen, Stock } from "./domain.ts";
import type { BazaarError } from "./errors.ts";

/*
 * Every list is sent in pages of one message each. The contract test of the links (test/contract/links.test.ts) sends
 * the largest page of the longest rows of each kind.
 */

/** Stocks in one page of the list. */
export const stocksPageMax = 1000;
/** Stocks that one restock call raises. */
export const restockPageMax = 1000;
/** Orders in one page. */
export const ordersPageMax = 5000;

/** Our side of an open two-way stream. Messages arrive in order or not at all. */
export interface Stream<Sent> {
  send(message: Sent): void;
  /** Ends the stream in both directions; no handler is called any more. */
  close(): void;
}

/** Receives the events of a stream. `ended` is called at most once, and last. */
export interface StreamHandlers<Received> {
  message(message: Received): void;
  ended(error?: BazaarError): void;
}

/** The fields that all requests of a leader to its ledger have. */
export interface LeaderRequest {
  readonly term: number;
  /**
   * The last order that the leader has received; `undefined` if there is none. The ledger must hold it (else DIVERGED).
   */
  readonly last: Order | undefined;
}

/** The trades of one front-end's call. The leader passes them on unread. */
export interface TradesCall {
  /** As `packTrades` writes them. */
  readonly trades: string;
  /** How many they are. */
  readonly count: number;
  /**
   * True if a front-end has made every key itself and sends each here for the first time: the ledger can't hold them yet,
   * unless this call has been overtaken (R3).
   */
  readonly minted: boolean;
}

/** A call without trades only asks. */
export const emptyCall: TradesCall = { trades: "", count: 0, minted: false };

/** Several calls in one transaction. */
export interface ApplyRequest extends LeaderRequest {
  readonly calls: readonly TradesCall[];
}

export interface RestockRequest extends LeaderRequest {
  readonly quantity: number;
  /** Only stocks with a greater name; all stocks if empty. */
  readonly after: string;
}

/** A page of the stocks, sorted by name in the order of its UTF-8 bytes. */
export interface StocksRequest {
  /** The lowest name; empty to start with the first stock. */
  readonly start: string;
  /** Whether a stock called `start` belongs to the page. */
  readonly inclusive: boolean;
  /** A page holds at most `stocksPageMax` stocks, even if `limit` is higher. */
  readonly limit: number;
}

export interface StocksPage {
  readonly stocks: readonly Stock[];
  /** The life of the ledger that the stocks were read from. */
  readonly life: string;
  /** Whether there are stocks after these. */
  readonly more: boolean;
}

export interface LookedUp {
  /** In the order of the names; `undefined` for an unknown one. */
  readonly stocks: readonly (Stock | undefined)[];
  /** The life of the ledger that the stocks were read from. */
  readonly life: string;
}

/** What a write has added to the ledger: the new orders only, ascending and without a gap. */
export interface Extended {
  readonly orders: OrderBatch;
  readonly head: number;
}

/**
 * The answer to one call: its outcomes in the order of its trades, as `packOutcomes` writes them; or why this call, and no
 * other, was refused.
 */
export type CallAnswer = { readonly outcomes: string } | { readonly refused: BazaarError };

/** An answer for each call, in their order. */
export interface Applied extends Extended {
  readonly answers: readonly CallAnswer[];
}

export interface AcquireRequest {
  readonly replica: number;
  /** The newest term known to the replica. A successful acquire creates the next one. */
  readonly term: number;
  /** The replica's last order; `undefined` if there is none. The ledger must hold the same row (else DIVERGED). */
  readonly last: Order | undefined;
}

/** From a front-end to the catalog: opens, renews and ends a session, and acknowledges changes. */
export interface TailRequest {
  /** A new id for every stream; never reused. */
  readonly session: string;
  readonly kind: "hello" | "renew" | "ack" | "goodbye";
  /** The session's cache has processed every change up to this id. */
  readonly acked: number;
  /** Counts the renewals: a lease is counted from the sending of the renewal that was answered (R8). */
  readonly sequence: number;
  /** With a hello: an earlier session of the same front-end, which no longer serves from it. */
  readonly replaces: string;
  /** With a hello: the front-end's address and dialect, for people who look at the cluster. */
  readonly address: string;
  readonly dialect: string;
  /** With a hello: what the front-end has seen of the ledger. */
  readonly seen: Seen | undefined;
  /** With a hello: the length of the front-end's last lease (0 if there was none), and the life that granted it. */
  readonly leaseMs: number;
  readonly leaseLife: string;
}

/** A front-end with a cache, as the catalog sees it. It isn't live if its lease has expired without a goodbye. */
export interface FrontEndState {
  readonly address: string;
  readonly live: boolean;
  /** Any text: a front-end of another version may speak a dialect that this version doesn't have. */
  readonly dialect: string;
}

/** One of several catalogs, as a caller sees it. */
export interface CatalogState {
  readonly address: string;
  readonly state: "active" | "standby" | "away";
}

export interface TailReply {
  /** The hello (0) or renewal that this answers; -1 for news, which answers no request. */
  readonly sequence: number;
  /** The ledger's last id when this was sent, and its life. */
  readonly head: number;
  readonly life: string;
  /** The length of a lease, counted from the sending of the request. */
  readonly leaseMs: number;
  /** With news: the stocks that have changed, as they are now. */
  readonly changes: readonly Stock[];
  /**
   * With news: the last id before these changes. A cache that hasn't processed everything up to it has missed a change.
   */
  readonly previousHead: number;
  /** With news: no other front-end may serve from a cache, so what this one has processed is settled (R7). */
  readonly alone: boolean;
  /** With the answer to a hello or a renewal: every front-end, by its address. */
  readonly frontEnds: readonly FrontEndState[];
}

/**
 * The calls of the catalog.
 *
 * A catalog whose ledger was once longer rejects every call with DIVERGED until a person has decided (R2). It detects
 * this from its requests: `seen` is what the caller has seen of the ledger, absent if it has seen nothing.
 */
export interface CatalogApi {
  /** R2. Rejects with FENCED for another term and with DIVERGED for another history; then nothing was done. */
  apply(request: ApplyRequest): Promise<Applied>;
  /**
   * Raises stocks at zero to `quantity`, as orders of the house, sorted by name: the first `restockPageMax` with a name
   * after `after`. Rejects like `apply`.
   */
  restock(request: RestockRequest): Promise<Extended>;
  /** Resolves when no front-end serves anything older than the change `upTo` any more (R7). */
  settle(upTo: number): Promise<void>;
  /** The settled state of each of these stocks. */
  lookup(names: readonly string[], seen?: Seen): Promise<LookedUp>;
  /** A page of the stocks, each in its settled state. */
  stocks(request: StocksRequest, seen?: Seen): Promise<StocksPage>;
  /** `SELECT … WHERE id > afterId ORDER BY id LIMIT limit`, of at most `ordersPageMax`. */
  ordersAfter(afterId: number, limit: number): Promise<Order[]>;
  /** `last` is the caller's last order: a replica sends it instead of `seen`. */
  register(seen?: Seen, last?: Order): Promise<Register>;
  /** R1. Rejects with STALE_TERM or DIVERGED. */
  acquire(request: AcquireRequest): Promise<Register>;
  tail(handlers: StreamHandlers<TailReply>): Stream<TailRequest>;
}

/** Follower to leader. The first message holds the follower's position; every later one is an acknowledgement. */
export interface FollowRequest {
  readonly replica: number;
  /** The last id that the follower has committed. */
  readonly lastId: number;
  /**
   * With the first message: that order, `undefined` if there is none. The leader must hold the same row (else
   * DIVERGED).
   */
  readonly last: Order | undefined;
}

/** Leader to follower: the next orders, or none as a sign of life. */
export interface FollowReply {
  readonly term: number;
  /** The leader's newest order when this was sent. */
  readonly tailId: number;
  readonly orders: OrderBatch;
}

export type RoleName = "follower" | "taking-over" | "leader";

/** Sent by every replica to its watchers at short intervals: silence is the sign of a frozen process. */
export interface ReplicaStatus {
  readonly replica: number;
  readonly role: RoleName;
  readonly term: number;
  /** The replica that this one takes for the leader; 0 if there is none. */
  readonly leader: number;
  readonly lastId: number;
  /** On the leader: the followers that it has heard from within 500 ms. */
  readonly liveFollowers: readonly number[];
  /** False on a leader whose last call didn't reach the catalog: another replica may reach it (R1). */
  readonly reachesCatalog: boolean;
}

export interface TradesRequest extends TradesCall {
  /**
   * True if the caller withholds the outcomes until they are settled (R7). Otherwise the leader settles before it
   * answers.
   */
  readonly callerSettles: boolean;
}

/**
 * The outcomes in the order of the trades, as `packOutcomes` writes them. They depend on no change after `head`, in the
 * ledger's `life`.
 */
export interface Traded extends Seen {
  readonly outcomes: string;
}

/** Orders that a replica holds, and where its orders end. */
export interface CopyPage {
  readonly orders: readonly Order[];
  /** The id of its last order; 0 if it holds none. */
  readonly lastId: number;
  /** Whether it holds every order that it ever acknowledged: no power cut took some. */
  readonly isWhole: boolean;
}

export interface OrderApi {
  /** Each outcome is durable as R5 demands. `signal` aborts the call. */
  trade(request: TradesRequest, signal?: AbortSignal): Promise<Traded>;
  /** R6. */
  order(id: number, signal?: AbortSignal): Promise<Order | undefined>;
  /** Newest first, with ids below `before` (0: from the newest). */
  orders(request: { before: number; limit: number }, signal?: AbortSignal): Promise<Order[]>;
  /** R1. Asks the replica to lead with a term later than `afterTerm`; resolves once it serves. */
  lead(afterTerm: number, signal?: AbortSignal): Promise<{ term: number }>;
  /** R1. A hint, adopted only for a greater term. */
  setLeader(leader: { term: number; leader: number }): Promise<void>;
  follow(handlers: StreamHandlers<FollowReply>): Stream<FollowRequest>;
  watch(handlers: StreamHandlers<ReplicaStatus>): Stream<never>;
}

/** What a replica tells tools of its own orders: in every role, and without a catalog. */
export interface CopyApi {
  /** The first `limit` orders with ids above `afterId`, ascending, but at most `ordersPageMax`. */
  readCopy(afterId: number, limit: number): Promise<CopyPage>;
}
