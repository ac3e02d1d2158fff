/** The figures of a campaign, summed over its rounds. */

import { isOutcome, type TradeRecord } from "@stock-bazaar/client/bazaar-client";
import type { Harm } from "./checks/violation.ts";
import type { FaultName } from "./faults/names.ts";
import type { RoundResult } from "./round.ts";

export interface Totals {
  readonly rounds: number;
  readonly clusters: number;
  /** How often each fault was inflicted. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** Different acknowledged orders. */
  readonly acknowledged: number;
  readonly rejected: number;
  /** Attempts without an outcome, after which a client sent its trade again. */
  readonly unknown: number;
  readonly lookups: number;
  readonly hits: number;
  /** Queries by number that found their order. */
  readonly ordersFound: number;
  readonly replays: number;
  readonly longestSilenceMs: number;
  readonly violations: Readonly<Record<Harm, number>>;
}

export const noTotals: Totals = {
  rounds: 0,
  clusters: 0,
  faults: {},
  acknowledged: 0,
  rejected: 0,
  unknown: 0,
  lookups: 0,
  hits: 0,
  ordersFound: 0,
  replays: 0,
  longestSilenceMs: 0,
  violations: { lost: 0, doubled: 0, stale: 0, other: 0 },
};

export function addRound(totals: Totals, result: RoundResult, isNewCluster: boolean): Totals {
  const { plan, trades, history, violations, longestSilenceMs } = result;
  const count = (harm: Harm) => totals.violations[harm] + violations.filter((found) => found.harm === harm).length;
  const faults: Partial<Record<FaultName, number>> = { ...totals.faults };
  for (const { name } of plan.faults) faults[name] = (faults[name] ?? 0) + 1;
  return {
    rounds: totals.rounds + 1,
    clusters: totals.clusters + (isNewCluster ? 1 : 0),
    faults,
    acknowledged: totals.acknowledged + new Set(trades.flatMap(({ orderNumber }) => orderNumber ?? [])).size,
    rejected: totals.rejected + trades.filter(isRejected).length,
    unknown: totals.unknown + trades.reduce((sum, { attempts }) => sum + attempts - 1, 0),
    lookups: totals.lookups + history.lookups.length,
    hits: totals.hits + history.lookups.filter(({ cache }) => cache === "hit").length,
    ordersFound: totals.ordersFound + history.queries.filter(({ status }) => status === 200).length,
    replays: totals.replays + history.replays.length,
    longestSilenceMs: Math.max(totals.longestSilenceMs, longestSilenceMs),
    violations: { lost: count("lost"), doubled: count("doubled"), stale: count("stale"), other: count("other") },
  };
}

function isRejected({ status, reason }: TradeRecord): boolean {
  return status !== 200 && isOutcome(status, reason);
}
