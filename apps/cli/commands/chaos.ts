/** `npm run chaos`: checks that the bazaar keeps its promises while its processes are killed. */

import { startTemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { runCampaign } from "@stock-bazaar/chaos/campaign";
import { possibleFaults } from "@stock-bazaar/chaos/faults/index";
import type { FaultName } from "@stock-bazaar/chaos/faults/names";
import { Progress } from "@stock-bazaar/chaos/progress";
import { formatReport } from "@stock-bazaar/chaos/report";
import { CommandError, exitCodes } from "../errors.ts";
import { printResult } from "../output.ts";
import { abortOnStop } from "../stopping.ts";
import { requireWritable } from "../writable.ts";

export interface ChaosCommandOptions {
  readonly rounds: number;
  readonly seed?: number;
  readonly from: number;
  readonly roundSeconds: number;
  readonly frontEnds: number;
  readonly clients: number;
  readonly only: FaultName[];
  readonly postgres?: boolean;
  readonly keep: string;
  readonly json?: string | true;
}

/** With --postgres. */
const catalogsMax = 3;
/** Enough for every catalog, and few enough for a fault to take all. */
const serverSettings = ["max_connections=60"];

export async function chaos(options: ChaosCommandOptions): Promise<void> {
  const {
    rounds,
    seed = newSeed(),
    from,
    roundSeconds,
    frontEnds,
    clients,
    only,
    postgres = false,
    keep,
    json,
  } = options;
  const faults = possibleFaults(only, { onServer: postgres });
  if (faults.length === 0)
    throw new CommandError(
      `--only must name a fault that is possible ${postgres ? "with" : "without"} --postgres (got ${only.join()})`,
      exitCodes.usage,
    );
  requireWritable("--keep", keep, "folder");
  if (typeof json === "string") requireWritable("--json", json, "file");
  const stopping = abortOnStop();
  const server = postgres ? await startTemporaryPostgres(serverSettings) : undefined;
  const progress = new Progress(process.stderr, rounds);
  const roundMs = roundSeconds * 1000;
  try {
    const result = await runCampaign(
      {
        rounds,
        seed,
        from,
        roundMs,
        frontEnds,
        clients,
        faults,
        keep,
        ...(server && { server, catalogsMax }),
      },
      (round, totals) => progress.round(round, totals),
      stopping,
    );
    progress.end();
    await printResult(result, formatReport(result), json);
    const { length: failed } = result.failed;
    if (failed > 0)
      throw new CommandError(`every round must keep all promises (${failed} of ${rounds} did not): see ${keep}`);
  } finally {
    progress.end();
  }
}

function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
