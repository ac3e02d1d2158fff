/** What was wrong with a round, from everything that its clients were told and everything that the databases hold. */

import { isOutcome, isUnknown, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { describeQuery, type QueryRecord } from "@stock-bazaar/client/order-check";
import type { DatabaseFolders } from "@stock-bazaar/cluster/cluster";
import { type FailedLookup, type LookupRecord, staleReads } from "./history.ts";
import { unasked, violations } from "./invariants.ts";
import { ledgerOf, untilEqual } from "./snapshot.ts";
import type { Violation } from "./violation.ts";

/** What the clients of a cluster were told: all of them. */
export interface History {
  /** Of all rounds of the cluster so far. */
  readonly trades: readonly TradeRecord[];
  /** Trades that were sent again, with their keys, when all was over. */
  readonly replays: readonly TradeRecord[];
  /** Of this round. */
  readonly lookups: readonly LookupRecord[];
  readonly failedLookups: readonly FailedLookup[];
  readonly queries: readonly QueryRecord[];
}

export interface VerdictOptions {
  readonly minCopies: number;
  readonly initialQuantities: ReadonlyMap<string, number>;
  /** For the replicas to be equal. */
  readonly timeoutMs: number;
}

const shownMax = 5;

/** I1–I8, from the histories and the files. All services must run; nobody may trade any more. */
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
      ...stale(staleReads(lookups, trades, ledgerOf(snapshot.catalog), initialQuantities)),
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

/** I4: a key that has an outcome says so. (That it is the same outcome is seen where all records are compared.) */
function notReplayed(replays: readonly TradeRecord[]): Violation[] {
  return replays
    .filter(({ status, reason, replayed }) => isOutcome(status, reason) && !replayed)
    .slice(0, shownMax)
    .map(({ request: { key } }) => ({ promise: "I4", harm: "doubled", text: `key ${key} was taken for a new one` }));
}

/** I8: every trade has an outcome in the end. */
export function unresolved(trades: readonly TradeRecord[]): Violation[] {
  return trades
    .filter(({ status, reason }) => !isOutcome(status, reason))
    .slice(0, shownMax)
    .map(({ request: { key }, status, reason, attempts }) => ({
      promise: "I8",
      harm: "other",
      text: `the trade with key ${key} has no outcome after ${attempts} attempts: ${status} ${reason}`,
    }));
}

/** A stock that is there is told, or nobody answers in time: nothing else. */
function notLookedUp(failed: readonly FailedLookup[]): Violation[] {
  return failed
    .filter(({ status }) => !isUnknown(status))
    .slice(0, shownMax)
    .map(({ url, status, text }) => ({
      promise: "I6",
      harm: "other",
      text: `${url} answered a lookup with ${status} ${text}`,
    }));
}
