/** `npm run chaos`: does it keep its promises while its parts are being killed? */

import { type CampaignResult, runCampaign } from "@stock-bazaar/chaos/campaign";
import type { FaultName } from "@stock-bazaar/chaos/faults/names";
import { Progress } from "@stock-bazaar/chaos/progress";
import { formatReport } from "@stock-bazaar/chaos/report";
import { CommandError } from "../errors.ts";
import { nextStopSignal } from "../stop-signal.ts";

export interface ChaosCommandOptions {
  readonly rounds: number;
  readonly seed?: number;
  readonly from: number;
  readonly roundSeconds: number;
  readonly frontEnds: number;
  readonly clients: number;
  readonly only: FaultName[];
  readonly keep: string;
  readonly json?: string | true;
}

export async function chaos(options: ChaosCommandOptions): Promise<void> {
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
