/** `npm run bench`: how fast is the bazaar here, beside HTTP alone and beside the obvious way to build it? */

import { type BenchOptions, type BenchResult, rowKinds, runBench } from "@stock-bazaar/bench/bench";
import { findLoadTool, type LoadTool } from "@stock-bazaar/bench/load";
import { isNothingLost } from "@stock-bazaar/bench/nothing-lost";
import { describeChecks, formatReport } from "@stock-bazaar/bench/report";
import { systemNames } from "@stock-bazaar/bench/systems";
import { Command, Option } from "commander";
import { CommandError } from "../errors.ts";
import { list, listOf, wholeNumber } from "../options.ts";
import { nextStopSignal } from "../stop-signal.ts";

const connectionsMax = 10_000;
const secondsMax = 3600;
const roundsMax = 100;

interface Options extends Omit<BenchOptions, "warmUpSeconds" | "tool"> {
  readonly warmUp: number;
  readonly tool?: LoadTool;
  readonly json?: string | true;
}

export function benchCommand(): Command {
  // After two seconds of load the compiler still takes half the time: the services were seen to need about ten.
  return new Command("bench")
    .description("measure trades and lookups beside an HTTP-only server and a naive system; takes some minutes")
    .option("--seconds <n>", "of one measurement", wholeNumber(1, secondsMax), 3)
    .option("--warm-up <n>", "seconds of load before each measurement", wholeNumber(0, secondsMax), 8)
    .option("--rounds <n>", "of which the median is told", wholeNumber(1, roundsMax), 3)
    .addOption(list("--connections", "a row of trades for each; lookups use the first", connectionList, [64, 256]))
    .addOption(list("--rows", "what to measure", listOf(rowKinds), rowKinds))
    .addOption(list("--systems", "what to compare", listOf(systemNames), systemNames))
    .addOption(new Option("--tool <name>", "default: wrk where it is installed").choices(["wrk", "autocannon"]))
    .option("--json [file]", "write JSON to this file, or to standard output in place of the tables")
    .action(bench);
}

async function bench({ json, warmUp, tool, ...options }: Options): Promise<void> {
  const stopping = new AbortController();
  void nextStopSignal().then((reason) => stopping.abort(new CommandError(`stopped by ${reason}`)));
  const result = await runBench(
    { ...options, warmUpSeconds: warmUp, tool: tool ?? findLoadTool() },
    (line) => process.stderr.write(`${line}\n`),
    stopping.signal,
  );
  await tell(result, json);
  if (!result.checks.every(isNothingLost)) throw new CommandError(describeChecks(result).join("\n"));
}

async function tell(result: BenchResult, json: string | true | undefined): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(json === true ? text : formatReport(result));
  if (typeof json === "string") await Bun.write(json, text);
}

function connectionList(text: string): number[] {
  return text.split(",").map((entry) => wholeNumber(1, connectionsMax)(entry.trim()));
}
