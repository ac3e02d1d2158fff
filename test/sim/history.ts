/** What the clients of a run asked and were told, on the world's clock, and what is wrong with it. */

import type { Order, RejectionReason, TradeType } from "@stock-bazaar/shared/domain";
import type { Rebuild } from "./checker.ts";

export interface Wish {
  readonly key: string;
  readonly name: string;
  readonly type: TradeType;
  readonly quantity: number;
}

export type Told =
  | { readonly status: "accepted"; readonly orderId: number }
  | { readonly status: "rejected"; readonly reason: RejectionReason }
  | { readonly status: "key-reused" | "volume-full" }
  /** No answer, or one that says to try again. */
  | { readonly status: "unknown" };

export interface TradeCall {
  readonly wish: Wish;
  readonly told: Told;
  readonly startMs: number;
  readonly endMs: number;
}

export interface LookupCall {
  readonly frontEnd: string;
  readonly name: string;
  /** `undefined`: no such stock. */
  readonly stock: { readonly quantity: number; readonly volume: number; readonly rev: number } | undefined;
  readonly cache: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface History {
  readonly trades: TradeCall[];
  readonly lookups: LookupCall[];
}

/** What happened to the ledger meanwhile, and so may excuse an answer. */
export interface Circumstances {
  readonly ledger: readonly Order[];
  /** When an order was committed. */
  readonly committedMs: (id: number) => number;
  /** What each stock began with, and since when there is one. */
  readonly stocks: ReadonlyMap<string, { readonly quantity: number; readonly sinceMs: number }>;
  readonly rebuilds: readonly Rebuild[];
  /** How long a rejection is remembered at least. */
  readonly rejectionsKeptMs: number;
  /** When an old copy of the ledger was in its place, until no front-end can have kept what it told. */
  readonly copies: readonly { readonly fromMs: number; readonly toMs: number }[];
}

interface State {
  readonly rev: number;
  readonly quantity: number;
  readonly volume: number;
}

/** A catalog's clock may run fast, by this at most. */
const clockMargin = 0.06;

/** Every state that a stock has had, oldest first. */
type States = ReadonlyMap<string, readonly State[]>;

/** I4: one outcome per key, and it is what the ledger says. */
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
  const firstTold = new Map<string, string>();
  for (const { wish, told, endMs } of trades) {
    if (told.status !== "accepted" && told.status !== "rejected") continue;
    const order = byKey.get(wish.key);
    const askedMs = firstAskedMs.get(wish.key) ?? 0;
    const text = told.status === "accepted" ? `accepted as ${told.orderId}` : `rejected, ${told.reason}`;
    if (told.status === "rejected" && order && !mayBeForgotten(askedMs, committedMs(order.id), circumstances)) {
      wrong.push(`key ${wish.key} was ${text}, but executed as ${order.id}`);
    }
    if (told.status === "accepted" && !isSame(order, told.orderId, wish)) {
      wrong.push(`key ${wish.key} was ${text}, but the ledger holds ${order ? `order ${order.id}` : "nothing"}`);
    }
    const first = firstTold.get(wish.key) ?? text;
    firstTold.set(wish.key, first);
    if (first === text) continue;
    if (first.startsWith("accepted") || !mayBeForgotten(askedMs, endMs, circumstances)) {
      wrong.push(`key ${wish.key} was ${first}, then ${text}`);
    }
  }
  return wrong;
}

/** A rejection of a key that was first asked for at `askedMs`: may the catalog have forgotten it by then? */
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
 * I6: lookups and trades of each stock look as if they had happened one after the other. The rev is the place in
 * that sequence, so checking is a scan: nothing may know less than what had been told to anybody before it began.
 */
export function staleAnswers({ trades, lookups: all }: History, circumstances: Circumstances): string[] {
  const { ledger, stocks, rebuilds, copies } = circumstances;
  const states = replay(ledger, stocks);
  const lostStates = rebuilds.map(({ atMs, lost }) => ({ atMs, states: statesLost(lost, ledger, stocks) }));
  const firstAskedMs = firstAsked(trades);
  const askedMsOf = (id: number) => firstAskedMs.get(ledger[id - 1]?.key ?? "");
  // A lookup may show an order that no replica has, and that is gone with the catalog; or what an old copy holds.
  const isExcused = ({ name, stock, startMs, endMs }: LookupCall) =>
    copies.some(({ fromMs, toMs }) => startMs <= toMs && endMs >= fromMs) ||
    lostStates.some((lost) => startMs < lost.atMs && lost.states.get(name)?.some((state) => isState(stock, state)));
  const lookups = all.filter((lookup) => !isExcused(lookup));
  const knownBefore = whatWasKnown(trades, lookups);
  const wrong: string[] = [];

  for (const lookup of lookups) {
    const { name, stock, cache, frontEnd, startMs, endMs } = lookup;
    const what = `the lookup (${cache}) of ${name} at ${frontEnd}, ${Math.round(startMs)}–${Math.round(endMs)} ms`;
    const since = stocks.get(name)?.sinceMs ?? Number.POSITIVE_INFINITY;
    const of = states.get(name);
    if (!stock || !of) {
      if (stock && endMs < since) wrong.push(`${what} says that there is such a stock`);
      if (!stock && startMs > since) wrong.push(`${what} says that there is no such stock`);
      continue;
    }
    const state = of.find(({ rev }) => rev === stock.rev);
    if (!isState(stock, state)) {
      wrong.push(`${what} told ${JSON.stringify(stock)}; the ledger says ${JSON.stringify(state)}`);
    }
    const known = knownBefore(name, startMs);
    if (stock.rev < known.rev) {
      wrong.push(`${what} knew rev ${stock.rev}, but rev ${known.rev} had been told at ${Math.round(known.endMs)} ms`);
    }
    const askedMs = askedMsOf(stock.rev);
    if (askedMs !== undefined && askedMs > endMs) wrong.push(`${what} knew order ${stock.rev} before it was asked for`);
  }

  for (const { wish, told, endMs } of trades) {
    const { key, name, quantity } = wish;
    const startMs = firstAskedMs.get(key) ?? 0;
    const known = knownBefore(name, startMs);
    if (told.status === "accepted" && told.orderId <= known.rev && states.has(name)) {
      // A key that is asked for again knows its own order: `known` is from before it was ever asked for.
      wrong.push(
        `order ${told.orderId} of ${name}, key ${key}, was numbered before rev ${known.rev}, told before it was asked for`,
      );
    }
    if (
      told.status === "rejected" &&
      told.reason === "INVALID_STOCKNAME" &&
      startMs > (stocks.get(name)?.sinceMs ?? endMs)
    ) {
      wrong.push(`key ${key} was told that there is no ${name}`);
    }
    if (told.status === "rejected" && told.reason === "INSUFFICIENT_QUANTITY") {
      const couldBe = (states.get(name) ?? []).some((state, index, all) => {
        const next = all[index + 1];
        // The state must have been there at some time between the asking and the answer.
        const isOver = next !== undefined && next.rev <= known.rev;
        const askedMs = askedMsOf(state.rev);
        return state.quantity < quantity && !isOver && (askedMs === undefined || askedMs <= endMs);
      });
      const couldBeLost = lostStates.some(
        (lost) => startMs < lost.atMs && lost.states.get(name)?.some((state) => state.quantity < quantity),
      );
      if (!couldBe && !couldBeLost)
        wrong.push(`key ${key} was rejected for ${quantity} ${name}, of which there was enough all the time`);
    }
  }
  return wrong;
}

function isState(stock: LookupCall["stock"], state: State | undefined): boolean {
  return stock?.rev === state?.rev && stock?.quantity === state?.quantity && stock?.volume === state?.volume;
}

/** The states that only a ledger had which was lost. */
function statesLost(lost: readonly Order[], ledger: readonly Order[], stocks: Circumstances["stocks"]): States {
  const firstId = lost[0]?.id ?? Number.POSITIVE_INFINITY;
  const states = replay([...ledger.filter(({ id }) => id < firstId), ...lost], stocks);
  return new Map(Array.from(states, ([name, of]) => [name, of.filter(({ rev }) => rev >= firstId)]));
}

/** The newest rev of a stock that anybody had been told before a moment. */
function whatWasKnown(trades: readonly TradeCall[], lookups: readonly LookupCall[]) {
  const tellings = new Map<string, { endMs: number; rev: number }[]>();
  const tell = (name: string, endMs: number, rev: number) => {
    const known = tellings.get(name);
    if (known) known.push({ endMs, rev });
    else tellings.set(name, [{ endMs, rev }]);
  };
  for (const { name, stock, endMs } of lookups) if (stock) tell(name, endMs, stock.rev);
  for (const { wish, told, endMs } of trades) if (told.status === "accepted") tell(wish.name, endMs, told.orderId);
  for (const known of tellings.values()) {
    known.sort((one, other) => one.endMs - other.endMs);
    let newest = { endMs: 0, rev: 0 };
    for (const [index, telling] of known.entries()) {
      if (telling.rev > newest.rev) newest = telling;
      known[index] = { endMs: telling.endMs, rev: newest.rev };
    }
  }
  return (name: string, beforeMs: number) => {
    const known = tellings.get(name) ?? [];
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
