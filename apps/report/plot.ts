/** Draws plots as SVG with Vega-Lite, without a browser. */

import { parse, View, Warn } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** Common to all plots. They have a background, so that they are readable on a dark page too. */
export const plotStyle = {
  $schema: "https://vega.github.io/schema/vega-lite/v6.json",
  background: "white",
  padding: 12,
  config: { font: "sans-serif", view: { stroke: null } },
} as const;

export async function drawPlot(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none", logLevel: Warn });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
