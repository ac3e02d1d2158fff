/** `bazaar status`: shows the state of the bazaar once, or until Ctrl-C. */

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

/** Moves the cursor to the upper left corner, and clears the screen. */
const home = "\u001b[H\u001b[J";

export async function status(options: StatusOptions): Promise<void> {
  const url = chosenUrl(options);
  if (options.watch) return watch(url, options);
  const found = await askStatus(url);
  if (options.json) process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  if (!isAnswered(found)) throw noAnswer(found.reason);
  if (!options.json) process.stdout.write(describeStatus(found));
  if (found.ready) return;
  // The table has the reason.
  throw new CommandError(options.json ? `not ready: ${found.reason}` : "");
}

/** Continues without an answer: the bazaar may return. */
async function watch(url: string, { every, json = false }: StatusOptions): Promise<void> {
  let stopped = false;
  const stop = nextStopSignal().then(() => {
    stopped = true;
  });
  let earlier: Status | NoStatus | undefined;
  while (!stopped) {
    const found = await askStatus(url);
    if (stopped) return;
    process.stdout.write(json ? `${JSON.stringify(found)}\n` : frame(found, earlier));
    earlier = found;
    await Promise.race([stop, Bun.sleep(every * 1000)]);
  }
}

function frame(found: Status | NoStatus, earlier: Status | NoStatus | undefined): string {
  const text = isAnswered(found) ? describeStatus(found, earlier) : `${found.reason}\n`;
  return process.stdout.isTTY ? `${home}${text}\n${found.at.slice(11, 19)} UTC, Ctrl-C ends\n` : `${text}\n`;
}
