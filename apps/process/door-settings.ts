/** The settings of the front-ends' door: who may come in, from where, and how often. */

import { isIP } from "node:net";
import { type Addresses, addressText, isLoopback } from "./addresses.ts";
import { ConfigError, type Environment, readText, readWholeNumber } from "./environment.ts";
import { tokensVariable } from "./token-file.ts";

export interface DoorSettings {
  /** The file of the tokens that clients must have; `undefined` = everyone may do everything. */
  readonly apiTokensFile: string | undefined;
  /** Requests per second of one token or address, 0 = no limit. */
  readonly rateLimits: { readonly trades: number; readonly reads: number };
  /** Requests that may wait for their replies in one front-end. */
  readonly requestsMax: number;
  /** Listeners of `/events` at one front-end. */
  readonly listenersMax: number;
  /** Addresses and networks whose `Forwarded` and `X-Forwarded-For` count. */
  readonly trustedProxies: readonly string[];
  /** The origins whose pages may use the front-end, or `*`. */
  readonly corsOrigins: readonly string[];
}

const rateMax = 1_000_000;
const countMax = 1_000_000;
const requestsMaxDefault = 10_000;
const listenersMaxDefault = 10_000;

/** Throws a ConfigError for the first value that isn't allowed. */
export function readDoorSettings(environment: Environment): DoorSettings {
  const rate = (variable: string) => readWholeNumber(environment, variable, { fallback: 0, min: 0, max: rateMax });
  return {
    apiTokensFile: readText(environment, tokensVariable),
    rateLimits: { trades: rate("RATE_LIMIT_TRADES"), reads: rate("RATE_LIMIT_READS") },
    requestsMax: readWholeNumber(environment, "MAX_REQUESTS_UNDER_WAY", {
      fallback: requestsMaxDefault,
      min: 1,
      max: countMax,
    }),
    listenersMax: readWholeNumber(environment, "MAX_EVENT_LISTENERS", {
      fallback: listenersMaxDefault,
      min: 0,
      max: countMax,
    }),
    trustedProxies: readList(
      environment,
      "TRUSTED_PROXIES",
      isNetwork,
      "must be a list of IP addresses and networks, like 127.0.0.1,10.0.0.0/8",
    ),
    corsOrigins: readList(
      environment,
      "CORS_ORIGINS",
      isOrigin,
      "must be a list of origins, like https://shop.example,http://localhost:3000, or *",
    ),
  };
}

/** Throws a ConfigError if clients on other machines could reach a front-end and nothing asked who they are. */
export function requireGuardedDoor(
  config: DoorSettings & Pick<Addresses, "listen"> & { allowInsecure: boolean },
): void {
  const { apiTokensFile, allowInsecure } = config;
  const { frontEnd } = config.listen;
  if (apiTokensFile !== undefined || allowInsecure || isLoopback(frontEnd)) return;
  const { host, port } = frontEnd.variables;
  const must = `must be on a loopback address, like 127.0.0.1, unless ${tokensVariable} is set`;
  const hint = "ALLOW_INSECURE=1 allows it, for a network in which every client may do everything";
  throw new ConfigError(host, host === port ? addressText(frontEnd) : frontEnd.host, must, hint);
}

function readList(
  environment: Environment,
  variable: string,
  isAllowed: (entry: string) => boolean,
  must: string,
): readonly string[] {
  const text = readText(environment, variable);
  if (text === undefined) return [];
  const entries = text.split(",").map((entry) => entry.trim());
  if (!entries.every(isAllowed)) throw new ConfigError(variable, text, must);
  return Object.freeze(entries);
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** An origin as browsers send it: in lower case, without a path and without the usual port. */
function isOrigin(text: string): boolean {
  return text === "*" || (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text);
}
