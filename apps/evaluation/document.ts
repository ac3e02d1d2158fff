/** Formats the result as a page in Markdown: the conditions, the table and the plots. */

import { commandLine, quotedCommand } from "@stock-bazaar/process/advice";
import { counted, percent, whole } from "@stock-bazaar/report/figures";
import { formatClientMachine, formatMachine } from "@stock-bazaar/report/machine";
import { markdownTable } from "@stock-bazaar/report/table";
import type { EvaluationResult, Point } from "./evaluation.ts";
import type { Plot } from "./plots.ts";
import { requestsUsual } from "./settings.ts";

/** From this share of the machine's CPU time on, the page warns that other work ran too. */
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
          `How long lookups, trades and order queries take as trades become more frequent, on the bazaar at ${url}, with the`,
          "cache size that is set there.",
        ]
      : [
          "How long lookups, trades and order queries take as trades become more frequent, with and without the front-end's",
          "cache.",
        ]),
    `${quotedCommand("evaluate")} writes this page, \`evaluation.json\` and the plots.`,
    "",
    isRemote
      ? formatClientMachine(startedAt, machine)
      : `${formatMachine(startedAt, machine)} Clients and services share the cores.`,
    ...busyness(busyBefore),
    ...(requests < requestsUsual
      ? [
          `**A short run**: ${whole(requests)} lookups per client instead of ${whole(requestsUsual)}, so the figures of the slowest requests are unreliable.`,
        ]
      : []),
    "",
    `${clients} clients use one keep-alive connection each and send one request at a time. A client looks up a random stock, and`,
    `after a share p of the lookups it trades that stock: a buy or a sell, with equal probability. Each measurement has ${whole(requests)}`,
    `lookups per client; the figures are the median of ${counted(rounds, "round")}. Before the first one, each client warms up with`,
    `${whole(warmUp)} lookups. ${isRemote ? "" : "Two bazaars take turns, one with CACHE_SIZE=1000 and one with 0. "}Each measurement ends with a query of`,
    `every acknowledged order: all ${whole(ordersFound(result))} were found and match their trades.`,
    "",
    ...table(result.points),
    "",
    `${isRemote ? "" : "With one front-end, as here, a trade replaces the stock in the cache instead of evicting it. "}All times are in milliseconds.`,
    "",
    ...plots.flatMap(({ name, title, caption }) => [`![${title}](${name}.svg)`, "", caption, ""]),
    "## Run it again",
    "",
    "```sh",
    `${commandLine("evaluate", `--p ${p.join()} ${isRemote ? `--url ${url}` : `--cache ${cache.join()}`} --clients ${clients}`)} \\`,
    `  --requests ${requests} --warm-up ${warmUp} --rounds ${rounds} --seed ${seed}`,
    "```",
    "",
    "The same seed chooses the same stocks and the same moments to trade. The times will differ.",
    "",
  ].join("\n");
}

/** The table of the page, also printed to the terminal. */
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
    ? [`The machine was otherwise idle: ${percent(busy)} of its CPU time was in use just before the run.`]
    : [
        `**The machine was busy with other work**: ${percent(busy)} of its CPU time was in use just before the run. Compare the`,
        "rows with one another, not with other machines.",
      ];
}

function ordersFound({ points }: EvaluationResult): number {
  return points.reduce((sum, { measured }) => sum + measured.ordersFound, 0);
}
