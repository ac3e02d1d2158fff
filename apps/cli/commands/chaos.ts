/** `npm run chaos`: does it keep its promises while its parts are being killed? */

import { type CampaignResult, runCampaign } from "@stock-bazaar/chaos/campaign";
import { faultNames } from "@stock-bazaar/chaos/faults/index";
import { Progress } from "@stock-bazaar/chaos/progress";
import { formatReport } from "@stock-bazaar/chaos/report";
import { Command } from "commander";
import { CommandError } from "../errors.ts";
import { list, listOf, wholeNumber } from "../options.ts";
import { nextStopSignal } from "../stop-signal.ts";

const roundsMax = 1_000_000;
const roundSecondsMax = 3600;
const seedMax = 2 ** 32 - 1;
const frontEndsMax = 9;
const clientsMax = 1000;

interface Options {
  readonly rounds: number;
  readonly seed?: number;
  readonly from: number;
  readonly roundSeconds: number;
  readonly frontEnds: number;
  readonly clients: number;
  readonly only: string[];
  readonly keep: string;
  readonly json?: string | true;
}

export function chaosCommand(): Command {
  return new Command("chaos")
    .description("kill, freeze and rob real processes under load, round after round, and check every promise")
    .option("--rounds <n>", "how many", wholeNumber(1, roundsMax), 20)
    .option("--seed <n>", "of the plan; default: a new one", wholeNumber(0, seedMax))
    .option("--from <n>", "the round of the plan to begin with", wholeNumber(1, roundsMax), 1)
    .option("--round-seconds <n>", "of faults; a round ends when all is well again", wholeNumber(1, roundSecondsMax), 2)
    .option("--front-ends <n>", "that clients spread over", wholeNumber(1, frontEndsMax), 2)
    .option("--clients <n>", "that trade", wholeNumber(1, clientsMax), 16)
    .addOption(list("--only", "faults to choose from", listOf(faultNames), faultNames))
    .option("--keep <folder>", "where the history, logs and databases of failing rounds go", "test-results/chaos")
    .option("--json [file]", "write JSON to this file, or to standard output in place of the table")
    .action(chaos);
}

async function chaos(options: Options): Promise<void> {
  const { rounds, seed = newSeed(), from, roundSeconds, frontEnds, clients, only, keep, json } = options;
  const stopping = new AbortController();
  void nextStopSignal().then((reason) => stopping.abort(new CommandError(`stopped by ${reason}`)));
  const progress = new Progress(process.stderr, rounds);
  const roundMs = roundSeconds * 1000;
  try {
    const result = await runCampaign(
      { rounds, seed, from, roundMs, frontEnds, clients, faults: only, keep },
      (round, totals) => progress.round(round, totals),
      stopping.signal,
    );
    progress.end();
    await tell(result, json);
    const { length: failed } = result.failed;
    if (failed > 0) throw new CommandError(`promises were broken in ${failed} of ${rounds} rounds: see ${keep}`);
  } finally {
    progress.end();
  }
}

function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

async function tell(result: CampaignResult, json: string | true | undefined): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(json === true ? text : formatReport(result));
  if (typeof json === "string") await Bun.write(json, text);
}
