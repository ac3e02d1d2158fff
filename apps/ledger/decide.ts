/**
 * The rules of a trade, independent of storage (R2, R3). `decide` takes the known keys and the stocks of a batch,
 * decides each trade in turn, and returns the effects as values. A store writes them in the transaction that read the
 * input, so either all of a trade's effects are stored (outcome, stock and order) or none.
 */

import {
  type Order,
  type Outcome,
  type RejectionReason,
  type Stock,
  stockVolumeMax,
  type Trade,
} from "@stock-bazaar/shared/domain";
import { invariant } from "@stock-bazaar/shared/invariant";

/** The stored first outcome of a key, and the fingerprint of its trade. */
export interface KnownOutcome {
  readonly fingerprint: string;
  readonly result:
    | { readonly status: "accepted"; readonly orderId: number }
    | { readonly status: "rejected"; readonly reason: RejectionReason };
}

export interface Rejection {
  readonly key: string;
  readonly fingerprint: string;
  readonly reason: RejectionReason;
  readonly createdAt: string;
}

/** The state that a batch is decided on: outcomes of known keys, stocks, and the head and term of the ledger. */
export interface Situation {
  readonly outcomeOf: (key: string) => KnownOutcome | undefined;
  readonly stockOf: (name: string) => Stock | undefined;
  readonly head: number;
  readonly term: number;
  readonly createdAt: string;
}

/** The effects of a batch. `stocks` holds the final state of each stock that it changed. */
export interface Decision {
  readonly outcomes: readonly Outcome[];
  readonly orders: readonly Order[];
  readonly rejections: readonly Rejection[];
  readonly stocks: readonly Stock[];
  readonly head: number;
}

/** What a trade asks for, as text. A key may be sent again only with an equal fingerprint (R3). */
export function fingerprint(trade: Pick<Trade, "name" | "type" | "quantity">): string {
  return `${trade.type} ${trade.quantity} ${trade.name}`;
}

/** Decides the trades of a batch in turn: each sees the effects of those before it. */
export function decide(trades: readonly Trade[], situation: Situation): Decision {
  const decidedHere = new Map<string, KnownOutcome>();
  const stocks = new Map<string, Stock>();
  const outcomes: Outcome[] = [];
  const orders: Order[] = [];
  const rejections: Rejection[] = [];
  let head = situation.head;

  for (const trade of trades) {
    const known = decidedHere.get(trade.key) ?? situation.outcomeOf(trade.key);
    if (known) {
      outcomes.push(
        known.fingerprint === fingerprint(trade) ? { ...known.result, replayed: true } : { status: "key-reused" },
      );
      continue;
    }

    const stock = stocks.get(trade.name) ?? situation.stockOf(trade.name);
    const reason = refusal(trade, stock);
    if (reason !== undefined || stock === undefined) {
      const rejected = { status: "rejected", reason: reason ?? "INVALID_STOCKNAME" } as const;
      rejections.push({
        key: trade.key,
        fingerprint: fingerprint(trade),
        reason: rejected.reason,
        createdAt: situation.createdAt,
      });
      decidedHere.set(trade.key, { fingerprint: fingerprint(trade), result: rejected });
      outcomes.push({ ...rejected, replayed: false });
      continue;
    }

    if (stock.volume + trade.quantity > stockVolumeMax) {
      outcomes.push({ status: "volume-full" });
      continue;
    }

    head += 1;
    orders.push({
      id: head,
      key: trade.key,
      name: trade.name,
      type: trade.type,
      quantity: trade.quantity,
      priceCents: stock.priceCents,
      term: situation.term,
      createdAt: situation.createdAt,
    });
    const quantity = stock.quantity + (trade.type === "buy" ? -trade.quantity : trade.quantity);
    invariant(quantity >= 0, "quantity ≥ 0", quantity);
    stocks.set(trade.name, {
      ...stock,
      quantity,
      volume: stock.volume + trade.quantity,
      rev: head,
    });
    const accepted = { status: "accepted", orderId: head } as const;
    decidedHere.set(trade.key, { fingerprint: fingerprint(trade), result: accepted });
    outcomes.push({ ...accepted, replayed: false });
  }

  return { outcomes, orders, rejections, stocks: [...stocks.values()], head };
}

/** Whether a trade was refused that had no outcome before. */
export function refusesAny({ outcomes, rejections }: Decision): boolean {
  return rejections.length > 0 || outcomes.some(({ status }) => status === "volume-full");
}

/** Restocks each of `emptyStocks` to `quantity`. Every one of them must be at zero. */
export function decideRestock(
  emptyStocks: readonly Stock[],
  quantity: number,
  situation: Omit<Situation, "outcomeOf" | "stockOf">,
): Decision {
  const orders: Order[] = [];
  const stocks: Stock[] = [];
  let head = situation.head;
  for (const stock of emptyStocks) {
    head += 1;
    orders.push({
      id: head,
      // An Idempotency-Key can't hold spaces, so this key never equals a client's.
      key: `restock ${head} ${stock.name}`,
      name: stock.name,
      type: "restock",
      quantity,
      priceCents: stock.priceCents,
      term: situation.term,
      createdAt: situation.createdAt,
    });
    stocks.push({ ...stock, quantity: stock.quantity + quantity, rev: head });
  }
  return { outcomes: [], orders, rejections: [], stocks, head };
}

function refusal(trade: Trade, stock: Stock | undefined): RejectionReason | undefined {
  if (stock === undefined) return "INVALID_STOCKNAME";
  if (trade.type === "buy" && stock.quantity < trade.quantity) return "INSUFFICIENT_QUANTITY";
  return undefined;
}
