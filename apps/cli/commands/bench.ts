/** `npm run bench`: how fast is the bazaar here, beside HTTP alone and beside the obvious way to build it? */

import { type BenchOptions, type BenchResult, runBench } from "@stock-bazaar/bench/bench";
import { findLoadTool } from "@stock-bazaar/bench/load";
import type { LoadTool } from "@stock-bazaar/bench/names";
import { isNothingLost } from "@stock-bazaar/bench/nothing-lost";
import { describeChecks, formatReport } from "@stock-bazaar/bench/report";
import { CommandError } from "../errors.ts";
import { nextStopSignal } from "../stop-signal.ts";

export interface BenchCommandOptions extends Omit<BenchOptions, "warmUpSeconds" | "tool"> {
  readonly warmUp: number;
  readonly tool?: LoadTool;
  readonly json?: string | true;
}

export async function bench({ json, warmUp, tool, ...options }: BenchCommandOptions): Promise<void> {
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
