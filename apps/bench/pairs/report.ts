/** Formats a comparison of checkouts as Markdown, for a terminal and for documents. */

import { percent, whole } from "@stock-bazaar/report/figures";
import { markdownTable } from "@stock-bazaar/report/table";
import { totalMicros } from "../measurement.ts";
import { isNothingLost } from "../nothing-lost.ts";
import { cpuTable, describeConditions, describeLoss, micros } from "../report.ts";
import type { PairedRow, PairsResult } from "./pairs.ts";
import type { PairedRatio } from "./ratios.ts";

const none = "";

export function formatPairs(result: PairsResult): string {
  const { rows, checkouts, checks } = result;
  return [
    ...describeConditions(result),
    "The systems ran at once and were loaded in turn; a ratio is the median of the rounds' ratios to the first system.",
    "",
    ...checkouts.map(({ name, version }) => `- ${name}: ${version}`),
    "",
    ...ratesTable(rows),
    "",
    ...describeLookups(result),
    ...cpuTable(rows.map(({ what, sides }) => ({ what, shown: sides.map((side) => [side.side, side]) }))),
    "",
    ...checks.map(describeCheck),
  ]
    .join("\n")
    .concat("\n");
}

function ratesTable(rows: readonly PairedRow[]): string[] {
  const header = [
    "what",
    "system",
    "requests/s",
    "ratio",
    "lowest–highest",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "ratio",
    "errors",
  ];
  return markdownTable(
    header,
    2,
    rows.flatMap(({ what, sides }) =>
      sides.map(({ side, requestsPerSecond, rateRatio, p50Ms, p99Ms, cpuMicros, cpuRatio, errors }, index) => [
        index === 0 ? what : none,
        side,
        whole(requestsPerSecond),
        rateRatio?.median.toFixed(2) ?? none,
        index === 0 ? none : range(rateRatio),
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
        micros(totalMicros(cpuMicros)),
        cpuRatio?.median.toFixed(2) ?? none,
        whole(errors),
      ]),
    ),
  );
}

function range(ratios: PairedRatio | undefined): string {
  return ratios === undefined ? none : `${ratios.least.toFixed(2)}–${ratios.most.toFixed(2)}`;
}

function describeLookups({ lookupsBesideTrades }: PairsResult): string[] {
  if (lookupsBesideTrades.length === 0) return [];
  return [
    ...lookupsBesideTrades.map(({ side, lookupsPerSecond, share }) => {
      const shares = `${percent(share.median)} of its rate without them (${percent(share.least)}–${percent(share.most)})`;
      return `- Beside trades, ${side} answered ${whole(lookupsPerSecond)} lookups/s, ${shares}.`;
    }),
    "",
  ];
}

/** A ledger also holds the trades of mixed loads, which the load generator doesn't count separately. */
function describeCheck(check: PairsResult["checks"][number]): string {
  const { side, replies, ledgerRows } = check;
  if (!isNothingLost(check)) return describeLoss(check, side);
  return `- ${side} lost nothing: ${whole(replies)} trades answered with 200, ${whole(ledgerRows)} orders in its ledger, every replica equal to it.`;
}

/** A line for each side that lost a trade. */
export function describeLosses({ checks }: PairsResult): string[] {
  return checks.filter((check) => !isNothingLost(check)).map((check) => describeLoss(check, check.side));
}
