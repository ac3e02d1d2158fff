/** The words of the trade, the same in every process. Money is integer cents, ids count from 1. */

export type TradeType = "buy" | "sell";

/** `restock` is an order of the house. */
export type OrderType = TradeType | "restock";

/** A wish to trade. `key` is its idempotency key (R3): the same key always has one outcome. */
export interface Trade {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
  /** Follows the trade through the logs of every process. */
  readonly requestId: string;
}

/** A row of the ledger. Its content is fixed for ever by the transaction that gave it its id. */
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

/** A stock as it begins: what a catalog is seeded with. */
export type NewStock = Pick<Stock, "name" | "priceCents" | "quantity">;

export type RejectionReason = "INVALID_STOCKNAME" | "INSUFFICIENT_QUANTITY";

/**
 * What became of a trade. `replayed` says that the key was known before, and this is its first outcome. Volume full: the
 * stock's volume would pass `stockVolumeMax`; it never falls, so the answer can't change, and the key isn't kept.
 */
export type Outcome =
  | { readonly status: "accepted"; readonly orderId: number; readonly replayed: boolean }
  | { readonly status: "rejected"; readonly reason: RejectionReason; readonly replayed: boolean }
  | { readonly status: "key-reused" }
  | { readonly status: "volume-full" };

/** Do two rows agree in every column? A key alone may come again in another history, and after an old copy a term, too. */
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
 * Which ledger, and how long it was when somebody looked at it. Each rebuild begins another life, named by a random text.
 * Within a life a ledger never gets shorter; a rebuilt one may be shorter than the one that was lost.
 */
export interface Seen {
  readonly life: string;
  readonly head: number;
}

/** Who leads, since which term, and the last id of the ledger. Term 0: nobody has led yet. */
export interface Register extends Seen {
  readonly term: number;
  readonly leader: number;
  /** Why the ledger can't be written now, though it can be read: its database is locked, its disk is full. */
  readonly obstacle?: string | undefined;
  /** How many stocks there are. None is ever removed, so another number means new ones. */
  readonly stocks: number;
}

/** The largest quantity of one trade: 2^31 - 1. */
export const tradeQuantityMax = 2_147_483_647;

/**
 * The most units of one stock that may ever be traded. Its quantity is at most what it began with and what was sold, far
 * below 2^53: every figure of a stock is exact as a double.
 */
export const stockVolumeMax = 2 ** 52;

/** No stock has a longer name than this, in UTF-16 units: longer ones need not be looked up. */
export const stockNameLengthMax = 255;

/** `.` and `..` are folders in the path of a URL: no lookup could name a stock that is called so. */
export function isFolderName(name: string): boolean {
  return name === "." || name === "..";
}
