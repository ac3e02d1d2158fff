/** The domain types, the same in every process. Money is integer cents, ids count from 1. */

export type TradeType = "buy" | "sell";

/** `restock` is an order of the house. */
export type OrderType = TradeType | "restock";

/** A request to buy or sell. `key` is its idempotency key (R3): the same key always has one outcome. */
export interface Trade {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
  /** Follows the trade through the logs of every process. */
  readonly requestId: string;
}

/** A row of the ledger. It never changes after the transaction that gave it its id. */
export interface Order {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly type: OrderType;
  readonly quantity: number;
  readonly priceCents: number;
  readonly term: number;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Stock {
  readonly name: string;
  readonly priceCents: number;
  readonly quantity: number;
  /** Units bought and sold so far. */
  readonly volume: number;
  /** The id of the last order that changed this stock, 0 before the first. */
  readonly rev: number;
}

/** An initial stock, with which a catalog is seeded. */
export type NewStock = Pick<Stock, "name" | "priceCents" | "quantity">;

export type RejectionReason = "INVALID_STOCKNAME" | "INSUFFICIENT_QUANTITY";

/**
 * The outcome of a trade.
 *
 * `replayed` means that the key was known before, and this is its first outcome. `volume-full` means that the stock's
 * volume would exceed `stockVolumeMax`. The volume never falls, so that answer can't change, and the key isn't stored.
 */
export type Outcome =
  | { readonly status: "accepted"; readonly orderId: number; readonly replayed: boolean }
  | { readonly status: "rejected"; readonly reason: RejectionReason; readonly replayed: boolean }
  | { readonly status: "key-reused" }
  | { readonly status: "volume-full" };

/**
 * Whether two rows agree in every column. Another history may have the same key, and after an old copy also the same
 * term.
 */
export function isSameOrder(one: Order | undefined, other: Order | undefined): boolean {
  return (
    one?.id === other?.id &&
    one?.key === other?.key &&
    one?.name === other?.name &&
    one?.type === other?.type &&
    one?.quantity === other?.quantity &&
    one?.priceCents === other?.priceCents &&
    one?.term === other?.term &&
    one?.createdAt === other?.createdAt
  );
}

/**
 * The life of a ledger, and its length when it was read.
 *
 * Each rebuild begins another life, named by a random text. Within a life a ledger never gets shorter; a rebuilt one
 * may be shorter than the one that was lost.
 */
export interface Seen {
  readonly life: string;
  readonly head: number;
}

/** The current term, its leader, and the last id of the ledger. Term 0: there was no leader yet. */
export interface Register extends Seen {
  readonly term: number;
  readonly leader: number;
  /** Why the ledger can be read but not written now: its database is locked, or its disk is full. */
  readonly obstacle?: string | undefined;
  /** The number of stocks. None is ever removed, so another number means new ones. */
  readonly stocks: number;
}

/** The largest quantity of one trade: 2^31 - 1. */
export const tradeQuantityMax = 2_147_483_647;

/**
 * The most units of one stock that may ever be traded.
 *
 * A stock's quantity is at most its initial quantity and what was sold, far below 2^53: every figure of a stock is
 * exact as a double.
 */
export const stockVolumeMax = 2 ** 52;

/** The longest name of a stock, in UTF-16 units: longer names need no lookup. */
export const stockNameLengthMax = 255;

/** `.` and `..` are folders in the path of a URL, so no lookup could name such a stock. */
export function isFolderName(name: string): boolean {
  return name === "." || name === "..";
}
