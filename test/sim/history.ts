/** The requests and answers of a run's clients, timed by the world's clock, and the checks of I4 and I6 on them. */

import type { Order, RejectionReason, TradeType } from "@stock-bazaar/shared/domain";
import type { Rebuild } from "./checker.ts";

/** A trade that a client asks for. */
export interface Wish {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

export type Answer =
  | { readonly status: "accepted"; readonly orderId: number }
  | { readonly status: "rejected"; readonly reason: RejectionReason }
  | { readonly status: "key-reused" | "volume-full" }
  /** No answer, or one that asks for a retry. */
  | { readonly status: "unknown" };

interface TradeCall {
  readonly wish: Wish;
  readonly answer: Answer;
  readonly startMs: number;
  readonly endMs: number;
}

interface LookupCall {
  readonly frontEnd: string;
  readonly name: string;
  /** `undefined` if the answer was that there is no such stock. */
  readonly stock: { readonly quantity: number; readonly volume: number; readonly rev: number } | undefined;
  readonly cache: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface History {
  readonly trades: TradeCall[];
  readonly lookups: LookupCall[];
}

/** The events of a run that decide which answers were right. */
export interface Circumstances {
  readonly ledger: readonly Order[];
  /** When an order was committed. */
  readonly committedMs: (id: number) => number;
  /** Each stock's initial quantity, and the time from which it existed. */
  readonly stocks: ReadonlyMap<string, { readonly quantity: number; readonly sinceMs: number }>;
  readonly rebuilds: readonly Rebuild[];
  /** The minimum time for which the catalog stores a rejection. */
  readonly rejectionsKeptMs: number;
  /** The times during which an old copy of the ledger was in place, or its answers could still be in a cache. */
  readonly copies: readonly { readonly fromMs: number; readonly toMs: number }[];
}

interface State {
  readonly rev: number;
  readonly quantity: number;
  readonly volume: number;
}

/** The most by which the catalog's clock may run fast, as a share. */
const clockMargin = 0.06;

/** Every state that each stock has had, oldest first. */
type States = ReadonlyMap<string, readonly State[]>;

/** I4: returns the keys with more than one outcome, or with another outcome than in the ledger. */
export function brokenOutcomes({ trades }: History, circumstances: Circumstances): string[] {
  const { ledger, committedMs } = circumstances;
  const wrong: string[] = [];
  const byKey = new Map<string, Order>();
  for (const order of ledger) {
    if (byKey.has(order.key))
      wrong.push(`key ${order.key} executed twice: orders ${byKey.get(order.key)?.id}, ${order.id}`);
    byKey.set(order.key, order);
  }
  const firstAskedMs = firstAsked(trades);
  const firstAnswers = new Map<string, string>();
  for (const { wish, answer, startMs, endMs } of trades) {
    if (answer.status !== "accepted" && answer.status !== "rejected") continue;
    const order = byKey.get(wish.key);
    const askedMs = firstAskedMs.get(wish.key) ?? 0;
    const text = answer.status === "accepted" ? `accepted as ${answer.orderId}` : `rejected, ${answer.reason}`;
    if (answer.status === "rejected" && order && !mayBeForgotten(askedMs, committedMs(order.id), circumstances)) {
      wrong.push(`key ${wish.key} was ${text}, but executed as ${order.id}`);
    }
    if (answer.status === "accepted" && !isSame(order, answer.orderId, wish)) {
      wrong.push(`key ${wish.key} was ${text}, but the ledger holds ${order ? `order ${order.id}` : "nothing"}`);
    }
    const first = firstAnswers.get(wish.key) ?? text;
    firstAnswers.set(wish.key, first);
    if (first === text) continue;
    // A rejection that was on its way when the catalog forgot it: the check of rejected keys above decides about it.
    const isLate = answer.status === "rejected" && order !== undefined && startMs < committedMs(order.id);
    if (first.startsWith("accepted") ? !isLate : !mayBeForgotten(askedMs, endMs, circumstances)) {
      wrong.push(`key ${wish.key} was ${first}, then ${text}`);
    }
  }
  return wrong;
}

/** Whether the catalog may have forgotten, by `byMs`, the rejection of a key that was first sent at `askedMs`. */
function mayBeForgotten(askedMs: number, byMs: number, { rejectionsKeptMs, rebuilds }: Circumstances): boolean {
  const keptMs = rejectionsKeptMs * (1 - clockMargin);
  return byMs >= askedMs + keptMs || rebuilds.some(({ atMs }) => atMs > askedMs && atMs <= byMs);
}

function firstAsked(trades: readonly TradeCall[]): Map<string, number> {
  const firstAskedMs = new Map<string, number>();
  for (const { wish, startMs } of trades) {
    firstAskedMs.set(wish.key, Math.min(startMs, firstAskedMs.get(wish.key) ?? startMs));
  }
  return firstAskedMs;
}

/**
 * I6: returns the answers that contradict a single sequence of lookups and trades per stock.
 * The rev is the place in that sequence, so the check is a scan: no answer may show an older rev than one that any client
 * had received before the request was sent.
 */
export function staleAnswers({ trades, lookups: all }: History, circumstances: Circumstances): string[] {
  const { ledger, stocks, rebuilds, copies } = circumstances;
  const states = replay(ledger, stocks);
  const lostStates = rebuilds.map(({ atMs, lost }) => ({ atMs, states: statesLost(lost, ledger, stocks) }));
  const firstAskedMs = firstAsked(trades);
  const askedMsOf = (id: number) => firstAskedMs.get(ledger[id - 1]?.key ?? "");
  // A lookup may show an order that was lost with the catalog because no replica had it, or the content of an old copy.
  const isExcused = ({ name, stock, startMs, endMs }: LookupCall) =>
    copies.some(({ fromMs, toMs }) => startMs <= toMs && endMs >= fromMs) ||
    lostStates.some((lost) => startMs < lost.atMs && lost.states.get(name)?.some((state) => isState(stock, state)));
  const lookups = all.filter((lookup) => !isExcused(lookup));
  const knownBefore = newestReceived(trades, lookups);
  const wrong: string[] = [];

  for (const lookup of lookups) {
    const { name, stock, cache, frontEnd, startMs, endMs } = lookup;
    const what = `the lookup (${cache}) of ${name} at ${frontEnd}, ${Math.round(startMs)}–${Math.round(endMs)} ms`;
    const since = stocks.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY;
    const of = states.get(name);
    if (!stock || !of) {
      if (stock && endMs < since) wrong.push(`${what} returned a stock that didn't exist`);
      if (!stock && startMs > since) wrong.push(`${what} returned no stock, but it exists`);
      continue;
    }
    const state = of.find(({ rev }) => rev === stock.rev);
    if (!isState(stock, state)) {
      wrong.push(`${what} returned ${JSON.stringify(stock)}; by the ledger it is ${JSON.stringify(state)}`);
    }
    const known = knownBefore(name, startMs);
    if (stock.rev < known.rev) {
      wrong.push(
        `${what} returned rev ${stock.rev}, but a client had received rev ${known.rev} at ${Math.round(known.endMs)} ms`,
      );
    }
    const askedMs = askedMsOf(stock.rev);
    if (askedMs !== undefined && askedMs > endMs) wrong.push(`${what} showed order ${stock.rev} before it was sent`);
  }

  for (const { wish, answer, endMs } of trades) {
    const { key, name, quantity } = wish;
    const startMs = firstAskedMs.get(key) ?? 0;
    const known = knownBefore(name, startMs);
    if (answer.status === "accepted" && answer.orderId <= known.rev && states.has(name)) {
      // `known` dates from before the key was first sent, so a repeated key's own order isn't in it.
      wrong.push(
        `order ${answer.orderId} of ${name}, key ${key}, has a lower number than rev ${known.rev}, which a client had received before the trade was sent`,
      );
    }
    if (
      answer.status === "rejected" &&
      answer.reason === "INVALID_STOCKNAME" &&
      startMs > (stocks.get(name)?.sinceMs ?? endMs)
    ) {
      wrong.push(`key ${key} was rejected because there is no ${name}, but it exists`);
    }
    if (answer.status === "rejected" && answer.reason === "INSUFFICIENT_QUANTITY") {
      const couldBe = (states.get(name) ?? []).some((state, index, all) => {
        const next = all[index + 1];
        // The state must have been the current one at some time between the request and the answer.
        const isOver = next !== undefined && next.rev <= known.rev;
        const askedMs = askedMsOf(state.rev);
        return state.quantity < quantity && !isOver && (askedMs === undefined || askedMs <= endMs);
      });
      const couldBeLost = lostStates.some(
        (lost) => startMs < lost.atMs && lost.states.get(name)?.some((state) => state.quantity < quantity),
      );
      if (!couldBe && !couldBeLost)
        wrong.push(`key ${key} was rejected for ${quantity} ${name}, though there was always enough`);
    }
  }
  return wrong;
}

function isState(stock: LookupCall["stock"], state: State | undefined): boolean {
  return stock?.rev === state?.rev && stock?.quantity === state?.quantity && stock?.volume === state?.volume;
}

/** The states that only the lost ledger had. */
function statesLost(lost: readonly Order[], ledger: readonly Order[], stocks: Circumstances["stocks"]): States {
  const firstId = lost[0]?.id ?? Number.POSITIVE_INFINITY;
  const states = replay([...ledger.filter(({ id }) => id < firstId), ...lost], stocks);
  return new Map(Array.from(states, ([name, of]) => [name, of.filter(({ rev }) => rev >= firstId)]));
}

/** Returns a function that finds the newest rev of a stock that any client had received before a moment. */
function newestReceived(trades: readonly TradeCall[], lookups: readonly LookupCall[]) {
  const receipts = new Map<string, { endMs: number; rev: number }[]>();
  const add = (name: string, endMs: number, rev: number) => {
    const known = receipts.get(name);
    if (known) known.push({ endMs, rev });
    else receipts.set(name, [{ endMs, rev }]);
  };
  for (const { name, stock, endMs } of lookups) if (stock) add(name, endMs, stock.rev);
  for (const { wish, answer, endMs } of trades) if (answer.status === "accepted") add(wish.name, endMs, answer.orderId);
  for (const known of receipts.values()) {
    known.sort((one, other) => one.endMs - other.endMs);
    let newest = { endMs: 0, rev: 0 };
    for (const [index, receipt] of known.entries()) {
      if (receipt.rev > newest.rev) newest = receipt;
      known[index] = { endMs: receipt.endMs, rev: newest.rev };
    }
  }
  return (name: string, beforeMs: number) => {
    const known = receipts.get(name) ?? [];
    let low = 0;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((known[middle]?.endMs ?? 0) < beforeMs) low = middle + 1;
      else high = middle;
    }
    return known[low - 1] ?? { endMs: 0, rev: 0 };
  };
}

function replay(ledger: readonly Order[], stocks: Circumstances["stocks"]): States {
  const states = new Map<string, State[]>();
  for (const [name, { quantity }] of stocks) states.set(name, [{ rev: 0, quantity, volume: 0 }]);
  for (const { id, name, type, quantity } of ledger) {
    const all = states.get(name);
    const now = all?.at(-1);
    if (!all || !now) continue;
    all.push({
      rev: id,
      quantity: now.quantity + (type === "buy" ? -quantity : quantity),
      volume: now.volume + (type === "restock" ? 0 : quantity),
    });
  }
  return states;
}

function isSame(order: Order | undefined, id: number, { name, type, quantity }: Wish): boolean {
  return order?.id === id && order.name === name && order.type === type && order.quantity === quantity;
}
