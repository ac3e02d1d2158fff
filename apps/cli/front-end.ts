/** The front-end that a command asks. */

import { readConfig } from "@stock-bazaar/shared/config";
import { CommandError, exitCodes } from "./errors.ts";
import type { AddressOptions } from "./options.ts";
import { frontEndUrl } from "./readiness.ts";

/** Of the environment, where the options don't say otherwise. */
export function chosenUrl({ host, port }: AddressOptions): string {
  const { frontEnd } = readConfig(process.env);
  return frontEndUrl({ host: host ?? frontEnd.host, port: port ?? frontEnd.port });
}

export function noAnswer(message: string): CommandError {
  return new CommandError(
    `${message}\nIs the bazaar running? \`npm start\` runs it; --host and --port say where it is.`,
    exitCodes.noAnswer,
  );
}
