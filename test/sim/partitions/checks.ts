/** The promises that no partition can keep alone. Written without `rule.ts`, so that a wrong rule is noticed. */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Rebuild } from "../checker.ts";
import type { History } from "../history.ts";
import type { Reuse } from "./key-reuse.ts";

/** The most by which a catalog's clock may run fast, as a share. */
const clockMargin = 0.06;

/** What the checks need of a partition. */
export interface Ledger {
  readonly orders: readonly Order[];
  readonly rebuilds: readonly Rebuild[];
}

/** I2: returns the order numbers that don't belong to the partition of their stock, or that two trades were given. */
export function wrongNumbers({ trades }: History, partitionOf: ReadonlyMap<string, number>, count: number): string[] {
  const wrong: string[] = [];
  const keys = new Map<number, string>();
  for (const { wish, answer } of trades) {
    if (answer.status !== "accepted") continue;
    const { orderId: number } = answer;
    const partition = partitionOf.get(wish.name);
    if (number % count !== partition || number < count)
      wrong.push(`I2: order number ${number} of ${wish.name} isn't one of partition ${partition}`);
    const key = keys.get(number) ?? wish.key;
    if (key !== wish.key) wrong.push(`I2: the trades ${key} and ${wish.key} have the same order number, ${number}`);
    keys.set(number, key);
  }
  return wrong;
}

/** The part of the history that concerns the stocks of one partition, with the ids of its own ledger. */
export function historyOf(
  partition: number,
  { trades, lookups }: History,
  partitionOf: ReadonlyMap<string, number>,
  count: number,
): History {
  // A stock that never existed must be unknown to any partition.
  const isHere = (name: string) => (partitionOf.get(name) ?? 0) === partition;
  return {
    lookups: lookups.filter(({ name }) => isHere(name)),
    trades: trades
      .filter(({ wish }) => isHere(wish.name))
      .map((call) =>
        call.answer.status === "accepted"
          ? { ...call, answer: { ...call.answer, orderId: (call.answer.orderId - partition) / count } }
          : call,
      ),
  };
}

/** I4: returns the keys for which two trades were executed, in two partitions, or got an outcome each. */
export function doublyUsedKeys(
  ledgers: readonly Ledger[],
  reuses: readonly Reuse[],
  rejectionsKeptMs: number,
): string[] {
  const wrong: string[] = [];
  const excused = new Set<string>();
  for (const { key, answers, startMs, endMs } of reuses) {
    // A claim is a stored rejection: it may be forgotten after a while, and when its catalog is rebuilt.
    const isForgotten =
      endMs - startMs >= rejectionsKeptMs * (1 - clockMargin) ||
      ledgers.some(({ rebuilds }) => rebuilds.some(({ atMs }) => atMs >= startMs && atMs <= endMs));
    if (isForgotten) excused.add(key);
    else if (answers.every(({ status }) => status === "accepted" || status === "rejected"))
      wrong.push(`I4: key ${key} belongs to two trades, with the outcomes ${JSON.stringify(answers)}`);
  }
  const partitionOfKey = new Map<string, number>();
  for (const [partition, { orders }] of ledgers.entries()) {
    for (const { key, id } of orders) {
      const other = partitionOfKey.get(key);
      if (other !== undefined && other !== partition && !excused.has(key))
        wrong.push(`I4: key ${key} executed in partition ${other} and as ${id} in partition ${partition}`);
      partitionOfKey.set(key, partition);
    }
  }
  return wrong;
}
