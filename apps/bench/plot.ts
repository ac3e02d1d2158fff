/** Draws the rates of a benchmark: each system's share of the yardstick, row by row. */

import { drawPlot, plotStyle } from "@stock-bazaar/report/plot";
import { ratio } from "@stock-bazaar/report/statistics";
import type { BenchResult } from "./bench.ts";
import { type SystemName, systemNames } from "./names.ts";

const colors: Record<SystemName, string> = {
  service: "#1b6ca8",
  yardstick: "#c8c8c8",
  naive: "#d95f02",
  postgres: "#7570b3",
  "service-postgres": "#6aaed6",
  floor: "#33a02c",
};

/** Rejects if the yardstick wasn't measured. */
export async function drawBench({ rows }: BenchResult): Promise<string> {
  const values = rows.flatMap(({ what, systems }) =>
    systemNames.flatMap((system) => {
      const rate = systems[system]?.requestsPerSecond;
      const share = rate === undefined ? undefined : ratio(rate, systems.yardstick?.requestsPerSecond);
      if (rate === undefined) return [];
      if (share === undefined) throw new Error("--systems must include yardstick: the picture shows shares of it");
      return [{ what, system, share, label: `${Math.round(rate).toLocaleString("en")}/s` }];
    }),
  );
  const shown = systemNames.filter((name) => values.some(({ system }) => system === name));
  const y = { field: "what", type: "nominal", title: null, sort: null } as const;
  return drawPlot({
    ...plotStyle,
    title: "Requests per second, as a share of what HTTP alone does",
    width: 480,
    height: { step: 16 },
    data: { values },
    encoding: {
      y: { ...y, axis: { labelLimit: 260 } },
      yOffset: { field: "system", sort: shown },
      x: { field: "share", type: "quantitative", title: "share of the yardstick", axis: { format: "%" } },
    },
    layer: [
      {
        mark: "bar",
        encoding: {
          color: {
            field: "system",
            type: "nominal",
            title: null,
            legend: { orient: "bottom" },
            scale: { domain: shown, range: shown.map((name) => colors[name]) },
          },
        },
      },
      { mark: { type: "text", align: "left", dx: 4, fontSize: 10 }, encoding: { text: { field: "label" } } },
    ],
  });
}
