/** The front-end that a command asks. */

import { advice } from "@stock-bazaar/process/advice";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError, exitCodes } from "./errors.ts";
import type { AddressOptions } from "./options.ts";
import { frontEndUrl } from "./up/readiness.ts";

/** How long a command waits for one reply: longer than the bazaar takes to say that it has no answer. */
export const replyPatienceMs = 15_000;

/** Of the environment, where the options don't say otherwise. */
export function chosenUrl({ host, port }: AddressOptions): string {
  const { frontEnd } = readConfig(process.env);
  return frontEndUrl({ host: host ?? frontEnd.host, port: port ?? frontEnd.port });
}

export function noAnswer(message: string): CommandError {
  return new CommandError(`${message}\n${advice.start}`, exitCodes.noAnswer);
}
