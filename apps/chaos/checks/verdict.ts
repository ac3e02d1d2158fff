/** Judges a round: compares all replies that its clients received with one another and with the databases. */

import { isOutcome, isUnknown, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { describeQuery, type QueryRecord } from "@stock-bazaar/client/order-check";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { type FailedLookup, type LookupRecord, staleReads } from "./history.ts";
import { unasked, violations } from "./invariants.ts";
import { ledgerOf, untilEqual } from "./snapshot.ts";
import type { Violation } from "./violation.ts";

/** All requests of a cluster's clients, with the replies. */
export interface History {
  /** The trades of all rounds of the cluster so far. */
  readonly trades: readonly TradeRecord[];
  /** Trades that were sent again with their keys, at the end of the round. */
  readonly replays: readonly TradeRecord[];
  /** The lookups of this round alone, as are the failed lookups and the queries. */
  readonly lookups: readonly LookupRecord[];
  readonly failedLookups: readonly FailedLookup[];
  readonly queries: readonly QueryRecord[];
}

export interface VerdictOptions {
  readonly minCopies: number;
  readonly initialQuantities: ReadonlyMap<string, number>;
  /** How long to wait until the replicas are equal. */
  readonly timeoutMs: number;
}

const shownMax = 5;

/** Checks I1–I8, from the history and the files. All services must run, and all clients must have stopped trading. */
export async function judge(
  folders: DatabaseFolders,
  history: History,
  { minCopies, initialQuantities, timeoutMs }: VerdictOptions,
): Promise<Violation[]> {
  const { trades, replays, lookups, failedLookups, queries } = history;
  const equal = [...folders.replicaFolders.keys()];
  const inDatabases = await untilEqual(
    folders,
    equal,
    (snapshot) => [
      ...violations(snapshot, { records: [...trades, ...replays], minCopies, equal, initialQuantities }),
      ...unasked(
        snapshot,
        trades.map(({ request }) => request.key),
      ),
      ...stale(staleReads(lookups, trades, ledgerOf(snapshot), initialQuantities)),
    ],
    timeoutMs,
  );
  return [
    ...inDatabases,
    ...notFound(queries),
    ...notReplayed(replays),
    ...unresolved([...trades, ...replays]),
    ...notLookedUp(failedLookups),
  ];
}

function stale(texts: readonly string[]): Violation[] {
  return texts.slice(0, shownMax).map((text) => ({ promise: "I6", harm: "stale", text }));
}

/** I7: an acknowledged order number is always found. */
export function notFound(queries: readonly QueryRecord[]): Violation[] {
  return queries
    .filter(({ status }) => !isUnknown(status))
    .flatMap((query) => describeQuery(query) ?? [])
    .slice(0, shownMax)
    .map((text) => ({ promise: "I7", harm: "lost", text }));
}

/** I4: a reply to a repeated key is marked as a replay. (`violations` checks that it is the same outcome.) */
function notReplayed(replays: readonly TradeRecord[]): Violation[] {
  return replays
    .filter(({ status, reason, replayed }) => isOutcome(status, reason) && !replayed)
    .slice(0, shownMax)
    .map(({ request: { key } }) => ({
      promise: "I4",
      harm: "doubled",
      text: `the repeated key ${key} must be answered as a replay (it was not)`,
    }));
}

/** I8: every trade has an outcome at the end. */
export function unresolved(trades: readonly TradeRecord[]): Violation[] {
  return trades
    .filter(({ status, reason }) => !isOutcome(status, reason))
    .slice(0, shownMax)
    .map(({ request: { key }, status, reason, attempts }) => ({
      promise: "I8",
      harm: "other",
      text: `the trade with key ${key} must have an outcome (got ${status} ${reason} after ${attempts} attempts)`,
    }));
}

/** I6: a lookup of an existing stock returns the stock or gets no answer in time. Any other reply is a violation. */
function notLookedUp(failed: readonly FailedLookup[]): Violation[] {
  return failed
    .filter(({ status }) => !isUnknown(status))
    .slice(0, shownMax)
    .map(({ url, status, text }) => ({
      promise: "I6",
      harm: "other",
      text: `a lookup at ${url} must return the stock (got ${status} ${text})`,
    }));
}
