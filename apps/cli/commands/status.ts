/** `bazaar status`: once, or until Ctrl-C. */

import { askStatus, describeStatus, isAnswered, type NoStatus, type Status } from "../cluster-status.ts";
import { CommandError } from "../errors.ts";
import { chosenUrl, noAnswer } from "../front-end.ts";
import type { AddressOptions } from "../options.ts";
import { nextStopSignal } from "../stopping.ts";

export interface StatusOptions extends AddressOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly every: number;
}

/** To the upper left corner, and nothing left below. */
const home = "\u001b[H\u001b[J";

export async function status(options: StatusOptions): Promise<void> {
  const url = chosenUrl(options);
  if (options.watch) return watch(url, options);
  const told = await askStatus(url);
  if (options.json) process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
  if (!isAnswered(told)) throw noAnswer(told.reason);
  if (!options.json) process.stdout.write(describeStatus(told));
  if (told.ready) return;
  // The table has said why.
  throw new CommandError(options.json ? `not ready: ${told.reason}` : "");
}

/** Shows what there is, also when that is nothing: the bazaar may come back. */
async function watch(url: string, { every, json = false }: StatusOptions): Promise<void> {
  let stopped = false;
  const stop = nextStopSignal().then(() => {
    stopped = true;
  });
  let earlier: Status | NoStatus | undefined;
  while (!stopped) {
    const told = await askStatus(url);
    if (stopped) return;
    process.stdout.write(json ? `${JSON.stringify(told)}\n` : frame(told, earlier));
    earlier = told;
    await Promise.race([stop, Bun.sleep(every * 1000)]);
  }
}

function frame(told: Status | NoStatus, earlier: Status | NoStatus | undefined): string {
  const text = isAnswered(told) ? describeStatus(told, earlier) : `${told.reason}\n`;
  return process.stdout.isTTY ? `${home}${text}\n${told.at.slice(11, 19)} UTC, Ctrl-C ends\n` : `${text}\n`;
}
