/** Draws the figures of an evaluation as plots. */

import { drawPlot, plotStyle } from "@stock-bazaar/report/plot";
import type { TopLevelSpec } from "vega-lite";
import { type CacheSetting, cacheModes } from "./settings.ts";
import type { EvaluationResult, Measured } from "./evaluation.ts";

export interface Plot {
  /** Name of the file, without `.svg`. */
  readonly name: string;
  readonly title: string;
  /** Explains the plot in one sentence. */
  readonly caption: string;
  readonly svg: string;
}

interface Curve {
  readonly name: string;
  readonly title: string;
  readonly caption: string;
  readonly axis: string;
  /** The values of a measurement to draw; empty if it has none. */
  readonly values: (measured: Measured) => readonly { readonly line: string; readonly value: number }[];
}

interface Row {
  readonly p: number;
  readonly value: number;
  readonly series: string;
  readonly line: string;
}

const curves: readonly Curve[] = [
  {
    name: "lookups",
    title: "Lookups",
    caption: "How long a lookup takes, over the share of lookups that a trade follows.",
    axis: "milliseconds",
    values: ({ lookups }) => latencyLines(lookups),
  },
  {
    name: "trades",
    title: "Trades",
    caption: "How long a trade takes, from the request to the order's number.",
    axis: "milliseconds",
    values: ({ trades }) => latencyLines(trades),
  },
  {
    name: "orders",
    title: "Order queries",
    caption: "How long the query of one order takes. The queries follow after the lookups and trades.",
    axis: "milliseconds",
    values: ({ orders }) => latencyLines(orders),
  },
  {
    name: "throughput",
    title: "Requests per second",
    caption: "Lookups and trades per second, of all clients together.",
    axis: "requests/s",
    values: ({ requestsPerSecond }) => [{ line: "all", value: requestsPerSecond }],
  },
];

export async function drawPlots({ points }: EvaluationResult): Promise<Plot[]> {
  const isRemote = points.some(({ cache }) => cache === "as it is");
  const series = (isRemote ? (["as it is"] as const) : cacheModes).map(seriesOf);
  return Promise.all(
    curves.map(async ({ name, title, caption, axis, values }) => {
      const rows = points.flatMap(({ p, cache, measured }) =>
        values(measured).map(({ line, value }) => ({ p, value, series: seriesOf(cache), line })),
      );
      return { name, title, caption, svg: await drawPlot(specOf(title, axis, rows, series)) };
    }),
  );
}

function latencyLines({ count, p50Ms, p99Ms }: Measured["lookups"]) {
  return count === 0
    ? []
    : [
        { line: "p50", value: p50Ms },
        { line: "p99", value: p99Ms },
      ];
}

function specOf(title: string, axis: string, rows: readonly Row[], series: string[]): TopLevelSpec {
  const line = { symbolType: "stroke", symbolSize: 300 } as const;
  const lines = new Set(rows.map((row) => row.line));
  // A scale can't be derived from no values: without a trade there are axes and no curve.
  const scale = rows.length === 0 ? { domain: [0, 1] } : {};
  return {
    ...plotStyle,
    title,
    width: 480,
    height: 280,
    data: { values: rows.map((row) => ({ ...row })) },
    encoding: {
      x: {
        field: "p",
        type: "quantitative",
        scale,
        title: "share of lookups that a trade follows",
        axis: { format: "%", values: [...new Set(rows.map(({ p }) => p))] },
      },
      y: { field: "value", type: "quantitative", scale, title: axis },
      color: {
        field: "series",
        type: "nominal",
        title: null,
        legend: line,
        scale: { domain: series, range: ["#1b6ca8", "#d95f02"] },
      },
    },
    // Points have their own layer: in one layer with the dashes they would hide the dashes from the legend.
    layer: [
      {
        mark: "line",
        encoding: lines.size > 1 ? { strokeDash: { field: "line", type: "nominal", title: null, legend: line } } : {},
      },
      { mark: { type: "point", filled: true } },
    ],
  };
}

function seriesOf(cache: CacheSetting): string {
  return `cache ${cache}`;
}
