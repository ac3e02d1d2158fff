/** The URL of the front-end that a command uses, and the error if it doesn't answer. */

import { advice } from "@stock-bazaar/process/advice";
import { type Address, addressText, dialledHere } from "@stock-bazaar/process/addresses";
import { readConfig } from "@stock-bazaar/process/config";
import { readText } from "@stock-bazaar/process/environment";
import { trustCa } from "@stock-bazaar/process/https-trust";
import { CommandError, exitCodes } from "./errors.ts";
import type { AddressOptions } from "./options.ts";

/** How long a command waits for one reply. The bazaar takes less to reply that a request timed out. */
export const replyPatienceMs = 15_000;

const httpsPort = 443;

/** The URL for a browser on this machine. An address that means "any", like 0.0.0.0, becomes a loopback address. */
export function frontEndUrl(address: Address, isSecure: boolean): string {
  return `${isSecure ? "https" : "http"}://${addressText(dialledHere(address))}`;
}

/** The URL from the options, else from the environment: of HTTPS if that is set up here, with a CA, and on its own port. */
export function chosenUrl({ host, port, ca }: AddressOptions): string {
  if (ca !== undefined) trustCa("--ca", ca);
  const { frontEnd, https } = readConfig(process.env);
  const address = { host: host ?? frontEnd.host, port: port ?? frontEnd.port };
  const hasCa = ca !== undefined || readText(process.env, "BAZAAR_CA") !== undefined;
  return frontEndUrl(address, hasCa || https !== undefined || address.port === httpsPort);
}

export function noAnswer(message: string): CommandError {
  const remedy = /certificate/.test(message) ? advice.trustCa : advice.start;
  return new CommandError(`${message}\n${remedy}`, exitCodes.noAnswer);
}
