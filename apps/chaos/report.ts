/** Formats the result of a campaign for people. */

import { commandLine } from "@stock-bazaar/process/advice";
import { counted, seconds, whole } from "@stock-bazaar/report/figures";
import { columns } from "@stock-bazaar/report/table";
import type { CampaignResult, FailedRound } from "./campaign.ts";
import { faults, possibleFaults } from "./faults/index.ts";
import { faultNames } from "./faults/names.ts";
import type { PlannedFault } from "./plan.ts";
import type { RoundResult } from "./round.ts";
import type { Totals } from "./totals.ts";

const shownMax = 5;

export function formatReport({ options, totals, failed, mountedDisks, tookMs }: CampaignResult): string {
  const { seed, from, rounds, roundMs, frontEnds, clients } = options;
  const { violations } = totals;
  const onServer = options.server !== undefined;
  const minutes = (tookMs / 60_000).toFixed(1);
  const share = totals.lookups === 0 ? 0 : Math.round((totals.hits / totals.lookups) * 100);
  const figures: [string, string][] = [
    ["rounds", `${whole(totals.rounds)} on ${counted(totals.clusters, "cluster")}, in ${minutes} minutes`],
    ["seed", String(seed)],
    ["orders acknowledged", whole(totals.acknowledged)],
    ["trades rejected", whole(totals.rejected)],
    ["trades without an answer", `${whole(totals.unknown)}, sent again with their keys`],
    ["longest silence", `${seconds(totals.longestSilenceMs)} without an accepted trade`],
    ["lookups", `${whole(totals.lookups)}, ${share}% from a cache`],
    ["orders found by number", whole(totals.ordersFound)],
    ["keys sent again later", whole(totals.replays)],
    ["lost", whole(violations.lost)],
    ["doubled", whole(violations.doubled)],
    ["stale", whole(violations.stale)],
    ["other violations", whole(violations.other)],
  ];
  const counts = faults
    .filter(({ name }) => options.faults.includes(name))
    .map(({ name, does }): [string, string, string] => [name, whole(totals.faults[name] ?? 0), does]);
  const planned = [
    `--seed ${seed} --rounds ${rounds}`,
    ...(from > 1 ? [`--from ${from}`] : []),
    `--front-ends ${frontEnds} --clients ${clients} --round-seconds ${roundMs / 1000}`,
    ...(onServer ? ["--postgres"] : []),
    ...(options.faults.length < possibleFaults(faultNames, { onServer }).length
      ? [`--only ${options.faults.join()}`]
      : []),
  ].join(" ");
  return [
    ...columns(counts),
    ...(mountedDisks === false
      ? ["", "No disk could be mounted, so a limit on the size of files was used instead."]
      : []),
    "",
    ...columns(figures),
    "",
    ...failed.flatMap(describeFailure),
    `Run again: ${commandLine("chaos", planned)}`,
    "The plan will be the same; the processes never behave exactly the same twice.",
    "",
  ].join("\n");
}

/** Describes a round in one line. */
export function describeRound(result: RoundResult): string {
  const { plan, trades, history, violations, longestSilenceMs, tookMs } = result;
  const what = plan.faults.map(describeFault).join(", ");
  const figures = `${whole(trades.length)} trades, ${whole(history.lookups.length)} lookups`;
  const times = `silent for ${seconds(longestSilenceMs)} of ${seconds(tookMs)}`;
  const verdict = violations.length === 0 ? "ok" : counted(violations.length, "violation");
  return `round ${plan.round}: ${verdict}  ${figures}, ${times}  ${what}`;
}

export function describeTotals({ rounds, acknowledged, violations }: Totals): string {
  const { lost, doubled, stale, other } = violations;
  const broken = `${lost} lost, ${doubled} doubled, ${stale} stale${other > 0 ? `, ${other} other` : ""}`;
  return `${whole(rounds)} rounds, ${whole(acknowledged)} orders: ${broken}`;
}

export function describeFailure({ plan, violations, kept }: FailedRound): string[] {
  return [
    `Round ${plan.round} broke a promise: ${plan.faults.map(describeFault).join(", ")}`,
    ...violations.slice(0, shownMax).map(({ promise, harm, text }) => `  ${promise} ${harm}: ${text}`),
    ...(violations.length > shownMax ? [`  and ${violations.length - shownMax} more`] : []),
    `  plan, history, logs and databases: ${kept}`,
    "",
  ];
}

function describeFault({ name, afterMs, holdMs }: PlannedFault): string {
  return `${name} at ${afterMs} for ${holdMs} ms`;
}
