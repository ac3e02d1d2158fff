/** `npm run evaluate`: measures latencies over the share of trades, with and without the cache. */

import { dirname, resolve } from "node:path";
import { NoBazaarError } from "@stock-bazaar/client/sessions";
import { table } from "@stock-bazaar/evaluation/document";
import { type EvaluationOptions, runEvaluation } from "@stock-bazaar/evaluation/evaluation";
import { writeEvaluation } from "@stock-bazaar/evaluation/write";
import { trustCa } from "@stock-bazaar/process/https-trust";
import { ProgressBar } from "@stock-bazaar/report/progress-bar";
import { CommandError, exitCodes } from "../errors.ts";
import { abortOnStop } from "../stopping.ts";
import { requireWritable } from "../writable.ts";

export interface EvaluateOptions extends EvaluationOptions {
  readonly ca?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export async function evaluate({ ca, out: chosenOut, json = false, ...options }: EvaluateOptions): Promise<void> {
  if (ca !== undefined) trustCa("--ca", ca);
  const isRemote = options.url !== undefined;
  // docs/evaluation is for figures of the bazaar with its default settings, not of one that runs elsewhere.
  const out = chosenOut ?? (isRemote ? "evaluation" : "docs/evaluation");
  requireWritable("--out", out, "folder");
  // The files are written beside the folder first, then renamed into it.
  requireWritable("the folder of --out", dirname(resolve(out)), "folder");
  const stopping = abortOnStop(
    isRemote ? "nothing was written; its trades remain" : "nothing was written, and no process is left running",
  );
  const bar = new ProgressBar(process.stderr, 1000);
  let shown = "";
  try {
    const result = await runEvaluation(
      { ...options, p: [...new Set(options.p)], cache: [...new Set(options.cache)] },
      (done, total, what) => {
        bar.show((done / total) * 1000, `${Math.floor((done / total) * 100)}%  ${what}`);
        if (!bar.isDrawn && what !== shown) bar.say(what);
        shown = what;
      },
      stopping,
    );
    stopping.throwIfAborted();
    const files = await writeEvaluation(out, result);
    bar.end();
    process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : `${table(result.points).join("\n")}\n`);
    process.stderr.write(`written: ${files.join(", ")}\n`);
  } catch (error) {
    if (isRemote && error instanceof NoBazaarError)
      throw new CommandError(`${error.message}\nCheck that the bazaar runs at this URL.`, exitCodes.noAnswer);
    throw error;
  } finally {
    bar.end();
  }
}
