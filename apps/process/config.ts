/**
 * The environment, read once in `main`, checked, frozen and passed down. The names are the same for every
 * process. A wrong value stops the process with a ConfigError that names the variable, its value and what
 * is allowed.
 */

import { isIPv6 } from "node:net";
import {
  type DialectName,
  dialectNames,
  isDialectName,
  requestTimeoutDefaultMs,
} from "@stock-bazaar/contract/dialects";
import { SetupError } from "@stock-bazaar/shared/errors";

export interface Address {
  /** An IPv6 address stands in brackets, as in a URL. */
  readonly host: string;
  readonly port: number;
}

/** The host of an address, or of a URL, as sockets want it. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

export interface Config {
  readonly frontEnd: Address;
  readonly frontEndDialect: DialectName;
  readonly catalog: Address;
  /** Every order replica by its id, ascending. */
  readonly replicas: ReadonlyMap<number, Address>;
  readonly dataDir: string;
  /** Stocks in the cache, 0 = off. */
  readonly cacheSize: number;
  /** 0 = until invalidated. */
  readonly cacheTtlMs: number;
  readonly cacheLeaseMs: number;
  /** R5: an order is acknowledged once this many replicas hold it. */
  readonly orderMinCopies: number;
  /** 0 = no restocking. */
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** One gRPC call. */
  readonly rpcTimeoutMs: number;
  /** One HTTP request with all its retries. */
  readonly requestTimeoutMs: number;
  /** How long an idle HTTP connection stays open: never less than a request may take. */
  readonly keepAliveTimeoutMs: number;
  readonly logLevel: LogLevel;
}

export type LogLevel = (typeof logLevels)[number];

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const replicasMax = 9;
const defaultCacheLeaseMs = 500;
export const cacheLeaseMaxMs = 60_000;
/** More than the 60 s of common balancers: one that uses a connection again as it is closed here answers its client with 502. */
const defaultKeepAliveTimeoutMs = 90_000;
const defaultReplicas = "1=127.0.0.1:6001,2=127.0.0.1:6002,3=127.0.0.1:6003";

export class ConfigError extends SetupError {
  constructor(variable: string, value: string | undefined, allowed: string) {
    super(`${variable} is ${value === undefined ? "not set" : JSON.stringify(value)}: ${allowed}`);
    this.name = "ConfigError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a ConfigError for the first value that isn't allowed. An empty value counts as not set. */
export function readConfig(environment: Environment): Config {
  const text = (variable: string, fallback: string) => environment[variable]?.trim() || fallback;
  const integer = (variable: string, fallback: number, min: number, max: number, whyMax = "") => {
    const value = text(variable, String(fallback));
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new ConfigError(variable, value, `allowed is a whole number from ${min} to ${max}${whyMax}`);
    }
    return number;
  };
  const host = (variable: string) => {
    const given = text(variable, "127.0.0.1");
    const value = isIPv6(given) ? `[${given}]` : given;
    if (!isHost(value)) throw new ConfigError(variable, given, "allowed is a host name or an IP address");
    return value;
  };
  const dayMs = 86_400_000;

  const replicas = readReplicas(text("ORDER_REPLICAS", defaultReplicas));
  const logLevel = text("LOG_LEVEL", "info");
  if (!isLogLevel(logLevel)) throw new ConfigError("LOG_LEVEL", logLevel, `allowed is ${logLevels.join(", ")}`);

  const frontEndDialect = text("FRONTEND_DIALECT", "bazaar");
  if (!isDialectName(frontEndDialect)) {
    throw new ConfigError("FRONTEND_DIALECT", frontEndDialect, `allowed is ${dialectNames.join(", ")}`);
  }
  const cacheLeaseMs = integer("CACHE_LEASE_MS", defaultCacheLeaseMs, 50, cacheLeaseMaxMs);
  const requestTimeoutMs = integer("REQUEST_TIMEOUT_MS", requestTimeoutDefaultMs(frontEndDialect), 10, 600_000);
  // A change waits for a lease when a front-end dies: nobody could be answered in time. The default passes all the same,
  // so that whoever only wants a shorter timeout needn't know of leases: a death then costs half a second of timeouts.
  if (cacheLeaseMs > defaultCacheLeaseMs && cacheLeaseMs * 2 > requestTimeoutMs) {
    const allowed = `allowed is at most half of REQUEST_TIMEOUT_MS, which is ${requestTimeoutMs}`;
    throw new ConfigError("CACHE_LEASE_MS", String(cacheLeaseMs), allowed);
  }

  const keepAliveTimeoutMs = integer(
    "KEEP_ALIVE_TIMEOUT_MS",
    Math.max(defaultKeepAliveTimeoutMs, requestTimeoutMs),
    1000,
    600_000,
  );
  if (keepAliveTimeoutMs < requestTimeoutMs) {
    const allowed = `allowed is at least REQUEST_TIMEOUT_MS, which is ${requestTimeoutMs}`;
    throw new ConfigError("KEEP_ALIVE_TIMEOUT_MS", String(keepAliveTimeoutMs), allowed);
  }

  return Object.freeze({
    frontEnd: { host: host("FRONTEND_HOST"), port: integer("FRONTEND_PORT", 8080, 1, 65_535) },
    frontEndDialect,
    catalog: { host: host("CATALOG_HOST"), port: integer("CATALOG_PORT", 6000, 1, 65_535) },
    replicas,
    dataDir: folder(text("DATA_DIR", "./data")),
    cacheSize: integer("CACHE_SIZE", 1000, 0, 10_000_000),
    cacheTtlMs: integer("CACHE_TTL_MS", 0, 0, dayMs),
    cacheLeaseMs,
    orderMinCopies: integer("ORDER_MIN_COPIES", 1, 1, replicas.size, ", which is how many ORDER_REPLICAS names"),
    restockIntervalMs: integer("RESTOCK_INTERVAL_MS", 0, 0, dayMs),
    restockQuantity: integer("RESTOCK_QUANTITY", 100, 1, 2_147_483_647),
    rpcTimeoutMs: integer("RPC_TIMEOUT_MS", 3000, 10, 600_000),
    requestTimeoutMs,
    keepAliveTimeoutMs,
    logLevel,
  });
}

/** `ORDER_ID`: which of the replicas this process is. */
export function readReplicaId(environment: Environment, config: Config): number {
  const value = environment.ORDER_ID?.trim() || undefined;
  const id = Number(value);
  if (value === undefined || !config.replicas.has(id)) {
    throw new ConfigError(
      "ORDER_ID",
      value,
      `allowed is one of ${[...config.replicas.keys()].join(", ")} (the ids in ORDER_REPLICAS)`,
    );
  }
  return id;
}

function readReplicas(value: string): ReadonlyMap<number, Address> {
  const allowed = `allowed is a list of 1 to ${replicasMax} ID=HOST:PORT, the ids from 1 to 65535, no id and no address twice, like ${defaultReplicas}`;
  const wrong = () => new ConfigError("ORDER_REPLICAS", value, allowed);
  const replicas: [number, Address][] = value.split(",").map((entry) => {
    const match = /^\s*(\d{1,5})=(.+):(\d{1,5})\s*$/.exec(entry);
    if (!match) throw wrong();
    const [, id, host = "", port] = match;
    const replica: [number, Address] = [Number(id), { host, port: Number(port) }];
    if (replica[0] < 1 || replica[0] > 65_535 || replica[1].port < 1 || replica[1].port > 65_535 || !isHost(host))
      throw wrong();
    return replica;
  });
  const addresses = new Set(replicas.map(([, { host, port }]) => `${host}:${port}`));
  if (replicas.length > replicasMax || addresses.size < replicas.length) throw wrong();
  const byId = new Map(replicas.sort(([a], [b]) => a - b));
  if (byId.size < replicas.length) throw wrong();
  return byId;
}

/** Of what others read as something else than a path, a folder of that very name would be made. */
function folder(value: string): string {
  if (/^(~|\$|:|["'%]|[a-z][a-z0-9+.-]+:)/i.test(value)) {
    const allowed =
      "allowed is the path of a folder, written out: no ~, quotes or variable of a shell, no URL, no :memory:";
    throw new ConfigError("DATA_DIR", value, `${allowed}; ./${value} is a folder of that name`);
  }
  return value;
}

function isHost(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,253}$/.test(text) || (/^\[.*\]$/.test(text) && isIPv6(withoutBrackets(text)));
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}
