/** The result as Markdown, for people: what was done, on what, the table, the plots. */

import { commandLine, quotedCommand } from "@stock-bazaar/process/advice";
import { counted, percent, whole } from "@stock-bazaar/report/figures";
import { formatClientMachine, formatMachine } from "@stock-bazaar/report/machine";
import { markdownTable } from "@stock-bazaar/report/table";
import type { EvaluationResult, Point } from "./evaluation.ts";
import type { Plot } from "./plots.ts";
import { requestsUsual } from "./settings.ts";

/** From this share of the machine's CPU time on, others had something to do as well. */
const busyFrom = 0.1;

export function formatDocument(result: EvaluationResult, plots: readonly Plot[]): string {
  const { startedAt, machine, options, busyBefore } = result;
  const { url, p, cache, clients, requests, rounds, warmUp, seed } = options;
  const isRemote = url !== undefined;
  return [
    "# Evaluation",
    "",
    ...(isRemote
      ? [
          `How long lookups, trades and order queries take as trades become more frequent, on the bazaar at ${url}, with its`,
          "cache as it is set there.",
        ]
      : [
          "How long lookups, trades and order queries take as trades become more frequent, with the front-end's cache and",
          "without it.",
        ]),
    `Made by ${quotedCommand("evaluate")}, which writes this page, \`evaluation.json\` and the plots anew.`,
    "",
    isRemote
      ? formatClientMachine(startedAt, machine)
      : `${formatMachine(startedAt, machine)} Clients and services share the cores.`,
    ...busyness(busyBefore),
    ...(requests < requestsUsual
      ? [
          `**A short run**: ${whole(requests)} lookups of each client in place of ${whole(requestsUsual)}, so the slowest requests say little.`,
        ]
      : []),
    "",
    `${clients} clients, each on one connection that is kept alive, one request at a time: a lookup of a random stock, and after a`,
    `share p of them a trade of it, as likely a purchase as a sale. ${whole(requests)} lookups of each client in a measurement, the`,
    `median of ${counted(rounds, "round")}, after ${whole(warmUp)} lookups each to warm up.${isRemote ? "" : " Two bazaars take turns, one with CACHE_SIZE=1000 and one"}`,
    `${isRemote ? "" : "with 0. "}Each measurement ends with a query of every order that was acknowledged: all ${whole(ordersFound(result))} were there, as they`,
    "were told.",
    "",
    ...table(result.points),
    "",
    `${isRemote ? "" : "With one front-end, as here, its cache goes on with what a trade makes of a stock. "}All times in milliseconds.`,
    "",
    ...plots.flatMap(({ name, title, caption }) => [`![${title}](${name}.svg)`, "", caption, ""]),
    "## Again",
    "",
    "```sh",
    `${commandLine("evaluate", `--p ${p.join()} ${isRemote ? `--url ${url}` : `--cache ${cache.join()}`} --clients ${clients}`)} \\`,
    `  --requests ${requests} --warm-up ${warmUp} --rounds ${rounds} --seed ${seed}`,
    "```",
    "",
    "The seed chooses the same stocks and the same moments to trade; times are never the same again.",
    "",
  ].join("\n");
}

/** The same table, for a terminal too. */
export function table(points: readonly Point[]): string[] {
  const header = [
    "p",
    "cache",
    "hits",
    "lookup p50",
    "p90",
    "p99",
    "max",
    "trade p50",
    "p90",
    "p99",
    "max",
    "order p50",
    "p90",
    "p99",
    "max",
    "requests/s",
  ];
  return markdownTable(
    header,
    2,
    points.map(({ p, cache, measured: { lookups, trades, orders, hitShare, requestsPerSecond } }) => [
      `${Math.round(p * 100)}%`,
      cache,
      cache === "off" ? "" : percent(hitShare),
      ...[lookups, trades, orders].flatMap(({ count, p50Ms, p90Ms, p99Ms, maxMs }) =>
        [p50Ms, p90Ms, p99Ms, maxMs].map((ms) => (count === 0 ? "" : ms.toFixed(2))),
      ),
      whole(requestsPerSecond),
    ]),
  );
}

function busyness(busy: number | undefined): string[] {
  if (busy === undefined) return [];
  return busy < busyFrom
    ? [`The machine was idle otherwise: ${percent(busy)} of its CPU time was in use just before.`]
    : [
        `**The machine was busy with other work**: ${percent(busy)} of its CPU time was in use just before. Compare the rows with`,
        "one another, not with other machines.",
      ];
}

function ordersFound({ points }: EvaluationResult): number {
  return points.reduce((sum, { measured }) => sum + measured.ordersFound, 0);
}
