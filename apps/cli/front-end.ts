/** The front-end that a command asks: where it is, and what to say when it does not answer. */

import { advice } from "@stock-bazaar/process/advice";
import { type Address, addressText, dialledHere } from "@stock-bazaar/process/addresses";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError, exitCodes } from "./errors.ts";
import type { AddressOptions } from "./options.ts";

/** How long a command waits for one reply: longer than the bazaar takes to say that it has no answer. */
export const replyPatienceMs = 15_000;

/** Where a browser on this machine finds the front-end: an address that means "any" is no address to go to. */
export function frontEndUrl(address: Address): string {
  return `http://${addressText(dialledHere(address))}`;
}

/** Of the environment, where the options don't say otherwise. */
export function chosenUrl({ host, port }: AddressOptions): string {
  const { frontEnd } = readConfig(process.env);
  return frontEndUrl({ host: host ?? frontEnd.host, port: port ?? frontEnd.port });
}

export function noAnswer(message: string): CommandError {
  return new CommandError(`${message}\n${advice.start}`, exitCodes.noAnswer);
}
