/**
 * A robot that looks up stocks and trades all the time, so that there is something to lose while the leader is killed.
 * At the end it queries every acknowledged order and compares it with its trade.
 */

import { type ApiOptions, findOrder, lookUp, placeTrade, type TradeRequest } from "./api.ts";

/** The most orders to check: the newest ones. All orders are counted. */
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
  /** Returns a number from 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Called with each new state. */
  readonly report: (state: RobotState) => void;
}

/** Trades until `signal` aborts. Resolves when all orders are checked. */
export async function runRobot({ api, names, random, signal, report }: RobotOptions): Promise<void> {
  const placed = new Map<number, TradeRequest>();
  let totals: RobotTotals = { acknowledged: 0, refused: 0, unanswered: 0, longestMs: 0 };
  report({ phase: "trading", totals });
  // Each buy is followed by a sell of the same quantity, so that the robot can run for any time.
  for (let turn = 0, trade = randomTrade(names(), random); trade && !signal.aborted; turn += 1) {
    for (let lookups = 0; lookups < lookupsPerTrade; lookups += 1) await lookUp(api, trade.name);
    const result = await placeTrade(api, trade);
    if (result.status === "accepted") {
      placed.set(result.number, trade);
      if (placed.size > checkedMax) placed.delete(placed.keys().next().value ?? 0);
    }
    totals = {
      acknowledged: totals.acknowledged + Number(result.status === "accepted"),
      refused: totals.refused + Number(result.status === "refused"),
      unanswered: totals.unanswered + Number(result.status === "unknown"),
      longestMs: Math.max(totals.longestMs, result.status === "accepted" ? result.tookMs : 0),
    };
    report({ phase: "trading", totals });
    trade = turn % 2 === 0 ? { ...trade, type: "sell" } : randomTrade(names(), random);
    await api.sleep(pauseMs);
  }
  await check(api, placed, totals, report);
}

function randomTrade(names: readonly string[], random: () => number): TradeRequest | undefined {
  const name = names[Math.floor(random() * names.length)];
  return name === undefined ? undefined : { name, type: "buy", quantity: 1 + Math.floor(random() * 3) };
}

async function check(
  api: ApiOptions,
  placed: ReadonlyMap<number, TradeRequest>,
  totals: RobotTotals,
  report: RobotOptions["report"],
): Promise<void> {
  let found = 0;
  const wrong: number[] = [];
  for (const [number, trade] of placed) {
    if (await isThere(api, number, trade)) found += 1;
    else wrong.push(number);
    report({ phase: "checking", totals, found, toCheck: placed.size });
  }
  report({ phase: "checked", totals, found, wrong });
}

/** Whether the order is found and matches. Repeats a query without an answer, which proves nothing about the order. */
async function isThere(api: ApiOptions, number: number, trade: TradeRequest): Promise<boolean> {
  for (;;) {
    try {
      const order = await findOrder(api, number);
      return order?.name === trade.name && order.type === trade.type && order.quantity === trade.quantity;
    } catch {
      await api.sleep(1000);
    }
  }
}
