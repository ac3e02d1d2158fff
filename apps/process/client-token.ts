/**
 * The token that this process sends to front-ends: `BAZAAR_TOKEN`. Every client of this project sends it, except for the
 * page, which has a token of its own.
 */

import { resolve } from "node:path";
import { ConfigError, type Environment, readText } from "./environment.ts";
import { tokensVariable } from "./token-file.ts";

export const clientTokenVariable = "BAZAAR_TOKEN";

/** The headers of a request with the token; none without one. Throws a ConfigError, which doesn't show the token. */
export function clientTokenHeaders(environment: Environment = process.env): Readonly<Record<string, string>> {
  const token = readText(environment, clientTokenVariable);
  if (token === undefined) return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError(clientTokenVariable, "…", "must be a token, without spaces, as `bazaar token add` prints it");
  }
  return { authorization: `Bearer ${token}` };
}

/** The variable of the tokens' file, for front-ends that get no others of this process's variables. */
export function tokenFileVariables(environment: Environment): Readonly<Record<string, string>> {
  const path = readText(environment, tokensVariable);
  return path === undefined ? {} : { [tokensVariable]: resolve(path) };
}
