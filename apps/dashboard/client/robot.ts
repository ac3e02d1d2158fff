/**
 * Looks up and trades without a pause, so that there is something to lose while the leader is killed; then asks for every order that
 * was acknowledged and compares.
 */

import { type ApiOptions, findOrder, lookUp, placeTrade, type TradeWish } from "./api.ts";

/** More than these are counted, not checked. */
const checkedMax = 2000;
const pauseMs = 40;
const lookupsPerTrade = 3;

export interface RobotTotals {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly longestMs: number;
}

export type RobotState =
  | { readonly phase: "idle" }
  | { readonly phase: "trading"; readonly totals: RobotTotals }
  | { readonly phase: "checking"; readonly totals: RobotTotals; readonly found: number; readonly toCheck: number }
  | {
      readonly phase: "checked";
      readonly totals: RobotTotals;
      readonly found: number;
      readonly wrong: readonly number[];
    };

export interface RobotOptions {
  readonly api: ApiOptions;
  readonly names: () => readonly string[];
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly tell: (state: RobotState) => void;
}

/** Resolves when `signal` has aborted and all is checked. */
export async function runRobot({ api, names, random, signal, tell }: RobotOptions): Promise<void> {
  const placed = new Map<number, TradeWish>();
  let totals: RobotTotals = { acknowledged: 0, refused: 0, unanswered: 0, longestMs: 0 };
  tell({ phase: "trading", totals });
  // Each purchase is followed by a sale of as many, so that a bazaar can be left trading.
  for (let turn = 0, wish = wishOf(names(), random); wish && !signal.aborted; turn += 1) {
    for (let lookups = 0; lookups < lookupsPerTrade; lookups += 1) await lookUp(api, wish.name);
    const result = await placeTrade(api, wish);
    if (result.status === "accepted") {
      placed.set(result.number, wish);
      if (placed.size > checkedMax) placed.delete(placed.keys().next().value ?? 0);
    }
    totals = {
      acknowledged: totals.acknowledged + Number(result.status === "accepted"),
      refused: totals.refused + Number(result.status === "refused"),
      unanswered: totals.unanswered + Number(result.status === "unknown"),
      longestMs: Math.max(totals.longestMs, result.status === "accepted" ? result.tookMs : 0),
    };
    tell({ phase: "trading", totals });
    wish = turn % 2 === 0 ? { ...wish, type: "sell" } : wishOf(names(), random);
    await api.sleep(pauseMs);
  }
  await check(api, placed, totals, tell);
}

function wishOf(names: readonly string[], random: () => number): TradeWish | undefined {
  const name = names[Math.floor(random() * names.length)];
  return name === undefined ? undefined : { name, type: "buy", quantity: 1 + Math.floor(random() * 3) };
}

async function check(
  api: ApiOptions,
  placed: ReadonlyMap<number, TradeWish>,
  totals: RobotTotals,
  tell: RobotOptions["tell"],
): Promise<void> {
  let found = 0;
  const wrong: number[] = [];
  for (const [number, wish] of placed) {
    if (await isThere(api, number, wish)) found += 1;
    else wrong.push(number);
    tell({ phase: "checking", totals, found, toCheck: placed.size });
  }
  tell({ phase: "checked", totals, found, wrong });
}

/** Asked again while nobody answers: no answer says nothing about the order. */
async function isThere(api: ApiOptions, number: number, wish: TradeWish): Promise<boolean> {
  for (;;) {
    try {
      const order = await findOrder(api, number);
      return order?.name === wish.name && order.type === wish.type && order.quantity === wish.quantity;
    } catch {
      await api.sleep(1000);
    }
  }
}
