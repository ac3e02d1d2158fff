/** The URL of the front-end that a command uses, and the error if it doesn't answer. */

import { advice } from "@stock-bazaar/process/advice";
import { type Address, addressText, dialledHere } from "@stock-bazaar/process/addresses";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError, exitCodes } from "./errors.ts";
import type { AddressOptions } from "./options.ts";

/** How long a command waits for one reply. The bazaar takes less to reply that a request timed out. */
export const replyPatienceMs = 15_000;

/** The URL for a browser on this machine. An address that means "any", like 0.0.0.0, becomes a loopback address. */
export function frontEndUrl(address: Address): string {
  return `http://${addressText(dialledHere(address))}`;
}

/** The URL from the options, else from the environment. */
export function chosenUrl({ host, port }: AddressOptions): string {
  const { frontEnd } = readConfig(process.env);
  return frontEndUrl({ host: host ?? frontEnd.host, port: port ?? frontEnd.port });
}

export function noAnswer(message: string): CommandError {
  return new CommandError(`${message}\n${advice.start}`, exitCodes.noAnswer);
}
