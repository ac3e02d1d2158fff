/** `npm run bench`: compares the bazaar on this machine with other systems, or with other checkouts of itself. */

import { type BenchOptions, runBench } from "@stock-bazaar/bench/bench";
import { runExperiments } from "@stock-bazaar/bench/experiments/experiments";
import { formatExperiments } from "@stock-bazaar/bench/experiments/report";
import { findLoadTool } from "@stock-bazaar/bench/load";
import { comparedSystems, type ExperimentName, type LoadTool, type SystemName } from "@stock-bazaar/bench/names";
import { isNothingLost } from "@stock-bazaar/bench/nothing-lost";
import { type Checkout, readCheckout } from "@stock-bazaar/bench/pairs/checkouts";
import { runPairs } from "@stock-bazaar/bench/pairs/pairs";
import { describeLosses, formatPairs } from "@stock-bazaar/bench/pairs/report";
import { describeChecks, formatReport } from "@stock-bazaar/bench/report";
import { CommandError, exitCodes } from "../errors.ts";
import { printResult } from "../output.ts";
import { abortOnStop } from "../stopping.ts";
import { requireWritable } from "../writable.ts";

export interface BenchCommandOptions extends Omit<BenchOptions, "warmUpSeconds" | "tool" | "rounds" | "systems"> {
  readonly warmUp: number;
  readonly rounds?: number;
  readonly systems?: readonly SystemName[];
  readonly tool?: LoadTool;
  readonly json?: string | true;
  readonly svg?: string;
  /** Folders of other checkouts. None: systems are compared. */
  readonly against?: readonly string[];
  /** None: the rows. */
  readonly experiments: readonly ExperimentName[];
  readonly kills: number;
  readonly orders: readonly number[];
  readonly minutes: number;
}

/** Ratios of pairs need more rounds: each is a slice of a system that is warm already. */
const defaultRounds = { rows: 3, pairs: 7 } as const;

type Progress = (line: string) => void;

export async function bench(options: BenchCommandOptions): Promise<void> {
  const { json, svg, experiments, against } = options;
  if (typeof json === "string") requireWritable("--json", json, "file");
  const progress: Progress = (line) => void process.stderr.write(`${line}\n`);
  if (experiments.length > 0) return benchExperiments(options, progress);
  if (against !== undefined) return benchPairs(options, against.map(readCheckout), progress);
  const { rounds = defaultRounds.rows, systems = comparedSystems } = options;
  if (svg !== undefined && !systems.includes("yardstick"))
    throw new CommandError("--systems must include yardstick for --svg, which draws shares of it", exitCodes.usage);
  if (svg !== undefined) requireWritable("--svg", svg, "file");
  const result = await runBench({ ...common(options), rounds, systems }, progress, abortOnStop());
  await printResult(result, formatReport(result), json);
  if (svg !== undefined) {
    // Imported here, so that a benchmark without a picture doesn't load the plotting library.
    const { drawBench } = await import("@stock-bazaar/bench/plot");
    await Bun.write(svg, await drawBench(result));
  }
  if (!result.checks.every(isNothingLost)) throw new CommandError(describeChecks(result.checks).join("\n"));
}

async function benchPairs(
  options: BenchCommandOptions,
  against: readonly Checkout[],
  progress: Progress,
): Promise<void> {
  const { rounds = defaultRounds.pairs, systems = ["service"], json } = options;
  const result = await runPairs({ ...common(options), rounds, systems, against }, progress, abortOnStop());
  await printResult(result, formatPairs(result), json);
  const losses = describeLosses(result);
  if (losses.length > 0) throw new CommandError(losses.join("\n"));
}

async function benchExperiments(options: BenchCommandOptions, progress: Progress): Promise<void> {
  const { experiments, kills, orders, minutes, rounds = defaultRounds.pairs, json } = options;
  const { seconds, warmUpSeconds, tool, connections: all } = common(options);
  const [connections = 0] = all;
  const asked = { experiments, kills, orders, minutes, rounds, connections, seconds, warmUpSeconds, tool };
  const found = await runExperiments(asked, progress, abortOnStop());
  await printResult(found, formatExperiments(found), json);
}

function common({ seconds, warmUp: warmUpSeconds, connections, rows, tool = findLoadTool() }: BenchCommandOptions) {
  return { seconds, warmUpSeconds, connections, rows, tool };
}
