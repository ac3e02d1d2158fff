/** `npm run evaluate`: latencies over the share of trades, with and without the cache. */

import { table } from "@stock-bazaar/evaluation/document";
import { type EvaluationOptions, runEvaluation } from "@stock-bazaar/evaluation/evaluation";
import { writeEvaluation } from "@stock-bazaar/evaluation/write";
import { ProgressBar } from "@stock-bazaar/report/progress-bar";
import { CommandError } from "../errors.ts";
import { nextStopSignal } from "../stop-signal.ts";

export interface EvaluateOptions extends EvaluationOptions {
  readonly out: string;
  readonly json?: boolean;
}

export async function evaluate({ out, json = false, ...options }: EvaluateOptions): Promise<void> {
  const stopping = new AbortController();
  void nextStopSignal().then((reason) =>
    stopping.abort(new CommandError(`stopped by ${reason}: nothing was written, and nothing is left running`)),
  );
  const bar = new ProgressBar(process.stderr, 1000);
  let said = "";
  try {
    const result = await runEvaluation(
      { ...options, p: [...new Set(options.p)], cache: [...new Set(options.cache)] },
      (done, total, what) => {
        bar.show((done / total) * 1000, `${Math.floor((done / total) * 100)}%  ${what}`);
        if (!bar.isDrawn && what !== said) bar.say(what);
        said = what;
      },
      stopping.signal,
    );
    stopping.signal.throwIfAborted();
    const files = await writeEvaluation(out, result);
    bar.end();
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : `${table(result.points).join("\n")}\n`);
    process.stderr.write(`written: ${files.join(", ")}\n`);
  } finally {
    bar.end();
  }
}
