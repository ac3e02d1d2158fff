/** `npm run bench`: compares the bazaar on this machine with HTTP alone and with the obvious implementations. */

import { type BenchOptions, runBench } from "@stock-bazaar/bench/bench";
import { runExperiments } from "@stock-bazaar/bench/experiments/experiments";
import { formatExperiments } from "@stock-bazaar/bench/experiments/report";
import { findLoadTool } from "@stock-bazaar/bench/load";
import type { ExperimentName, LoadTool } from "@stock-bazaar/bench/names";
import { isNothingLost } from "@stock-bazaar/bench/nothing-lost";
import { describeChecks, formatReport } from "@stock-bazaar/bench/report";
import { CommandError, exitCodes } from "../errors.ts";
import { printResult } from "../output.ts";
import { abortOnStop } from "../stopping.ts";
import { requireWritable } from "../writable.ts";

export interface BenchCommandOptions extends Omit<BenchOptions, "warmUpSeconds" | "tool"> {
  readonly warmUp: number;
  readonly tool?: LoadTool;
  readonly json?: string | true;
  readonly svg?: string;
  /** None: the rows. */
  readonly experiments: readonly ExperimentName[];
  readonly kills: number;
  readonly orders: readonly number[];
  readonly minutes: number;
}

export async function bench(options: BenchCommandOptions): Promise<void> {
  const {
    json,
    svg,
    warmUp: warmUpSeconds,
    tool = findLoadTool(),
    experiments,
    kills,
    orders,
    minutes,
    ...rows
  } = options;
  if (svg !== undefined && !rows.systems.includes("yardstick"))
    throw new CommandError("--systems must include yardstick for --svg, which draws shares of it", exitCodes.usage);
  if (svg !== undefined) requireWritable("--svg", svg, "file");
  if (typeof json === "string") requireWritable("--json", json, "file");
  const stopping = abortOnStop();
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  if (experiments.length > 0) {
    const [connections = 0] = rows.connections;
    const asked = { experiments, kills, orders, minutes, connections, seconds: rows.seconds, warmUpSeconds, tool };
    const found = await runExperiments(asked, progress, stopping);
    return printResult(found, formatExperiments(found), json);
  }
  const result = await runBench({ ...rows, warmUpSeconds, tool }, progress, stopping);
  await printResult(result, formatReport(result), json);
  if (svg !== undefined) {
    // Imported here, so that a benchmark without a picture doesn't load the plotting library.
    const { drawBench } = await import("@stock-bazaar/bench/plot");
    await Bun.write(svg, await drawBench(result));
  }
  if (!result.checks.every(isNothingLost)) throw new CommandError(describeChecks(result).join("\n"));
}
