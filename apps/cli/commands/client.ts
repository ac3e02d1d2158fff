/** `npm run client`: runs sessions of trading and checks that the bazaar keeps its promises. */

import { NoBazaarError, type RunOptions, type RunResult, runSessions } from "@stock-bazaar/client/sessions";
import { formatRun } from "@stock-bazaar/client/session-report";
import type { RunType } from "@stock-bazaar/client/run-types";
import { whole } from "@stock-bazaar/report/figures";
import { ProgressBar } from "@stock-bazaar/report/progress-bar";
import { CommandError } from "../errors.ts";
import { chosenUrl, noAnswer, replyPatienceMs } from "../front-end.ts";
import type { AddressOptions } from "../options.ts";
import { abortOnStop } from "../stopping.ts";

export interface ClientOptions extends AddressOptions {
  readonly type: RunType;
  readonly clients: number;
  readonly requests: number;
  readonly p: number;
  readonly stocks?: string[];
  readonly timeout: number;
  readonly json?: boolean;
}

export async function client(options: ClientOptions): Promise<void> {
  const { type, clients, requests, p, stocks, timeout, json = false } = options;
  const giveUpMs = timeout * 1000;
  const patienceMs = Math.min(giveUpMs, replyPatienceMs);
  const url = chosenUrl(options);
  const result = await run({
    url,
    type,
    clients,
    requests,
    p,
    stocks,
    random: () => Math.random,
    giveUpMs,
    patienceMs,
  });
  process.stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : formatRun(result));
  const { mismatches, failures, answered } = result;
  if (mismatches.count > 0) throw new CommandError(`the bazaar broke a promise: ${mismatches.first[0]}`);
  if (!answered) throw noAnswer(failures.first.at(-1) ?? "no answer");
  if (failures.count > 0) throw new CommandError(`${whole(failures.count)} failed: ${failures.first[0]}`);
}

async function run(options: RunOptions): Promise<RunResult> {
  const stopping = abortOnStop();
  // In steps of one percent, so that not every request writes to the terminal.
  const bar = new ProgressBar(process.stderr, 100);
  let shown = "";
  try {
    return await runSessions(
      options,
      (phase, done, total) => {
        const percent = Math.floor((done / total) * 100);
        const text = phase === "requests" ? "lookups and trades" : `check of ${whole(total)} orders`;
        if (`${percent} ${text}` === shown) return;
        shown = `${percent} ${text}`;
        bar.show(percent, `${percent}%  ${text}`);
      },
      stopping,
    );
  } catch (error) {
    if (error instanceof NoBazaarError) throw noAnswer(error.message);
    throw error;
  } finally {
    bar.end();
  }
}
