/**
 * The configuration: read from the environment once in `main`, checked, frozen and passed down.
 *
 * The variables are the same for every process. A wrong value stops the process with a ConfigError that names the
 * variable, what it must be and what it was.
 */

import {
  type DialectName,
  dialectNames,
  isDialectName,
  requestTimeoutDefaultMs,
} from "@stock-bazaar/contract/dialects";
import { type Addresses, type ListenAddress, readAddresses, requireLoopback } from "./addresses.ts";
import { type DoorSettings, readDoorSettings } from "./door-settings.ts";
import { ConfigError, type Environment, readText, readWholeNumber } from "./environment.ts";
import { readLedgerUrl } from "./ledger-url.ts";
import { type CertificateFiles, readHttpsFiles, readTlsFiles, type TlsFiles } from "./tls-files.ts";

export interface Config extends Addresses, DoorSettings {
  readonly frontEndDialect: DialectName;
  /** Mutual TLS between the services; `undefined` if their links are plain. */
  readonly tls: TlsFiles | undefined;
  /** HTTPS at the front-ends; `undefined` if they serve plain HTTP. */
  readonly https: CertificateFiles | undefined;
  /** Whether services may be reached from other machines without TLS or tokens. */
  readonly allowInsecure: boolean;
  readonly dataDir: string;
  /** The PostgreSQL database of the ledger; `undefined` if it is the file catalog.db in `dataDir`. Holds a password. */
  readonly ledgerUrl: string | undefined;
  /** Whether that server may fail over while it is used. */
  readonly ledgerFailover: boolean;
  /** Stocks in the cache, 0 = off. */
  readonly cacheSize: number;
  /** 0 = until invalidated. */
  readonly cacheTtlMs: number;
  readonly cacheLeaseMs: number;
  /** R5: an order is acknowledged once this many replicas have committed it, the leader among them. */
  readonly orderMinCopies: number;
  /** Whether each commit of a replica waits for its disk; otherwise the replica syncs ten times a second. */
  readonly orderSynchronous: OrderSynchronous;
  /** 0 = no restocking. */
  readonly restockIntervalMs: number;
  readonly restockQuantity: number;
  /** One gRPC call. */
  readonly rpcTimeoutMs: number;
  /** One HTTP request with all its retries. */
  readonly requestTimeoutMs: number;
  /** How long an idle HTTP connection stays open: at least as long as a request may take. */
  readonly keepAliveTimeoutMs: number;
  /** How long a front-end that is asked to stop answers requests as before, but asks its clients to use another one. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
}

export type LogLevel = (typeof logLevels)[number];

export type OrderSynchronous = (typeof orderSynchronousValues)[number];

const orderSynchronousValues = ["NORMAL", "FULL"] as const;
const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const defaultCacheLeaseMs = 500;
export const cacheLeaseMaxMs = 60_000;
/**
 * Longer than the 60 s of common load balancers. A balancer that reuses a connection just as the front-end closes it
 * answers its client with 502.
 */
const defaultKeepAliveTimeoutMs = 90_000;
/** Long enough for busy connections to be used once more: their clients then close them. */
const defaultDrainMs = 250;

/** Throws a ConfigError for the first value that isn't allowed. An empty value counts as not set. */
export function readConfig(environment: Environment): Config {
  const integer = (variable: string, fallback: number, min: number, max: number, why = "") =>
    readWholeNumber(environment, variable, { fallback, min, max, why });
  const dayMs = 86_400_000;

  const addresses = readAddresses(environment);
  const tls = readTlsFiles(environment);
  const allowInsecure = integer("ALLOW_INSECURE", 0, 0, 1) === 1;
  if (!tls && !allowInsecure) requireLoopback(addresses, environment);
  const ledgerUrl = readLedgerUrl(environment);
  if (addresses.catalogs.length > 1 && ledgerUrl === undefined) {
    const must = "must have one entry, unless LEDGER_URL names a ledger that several catalogs can share";
    throw new ConfigError("CATALOG_ADDRESSES", readText(environment, "CATALOG_ADDRESSES"), must);
  }
  const logLevel = readText(environment, "LOG_LEVEL") ?? "info";
  if (!isLogLevel(logLevel)) throw new ConfigError("LOG_LEVEL", logLevel, `must be one of ${logLevels.join(", ")}`);

  const orderSynchronous = readText(environment, "ORDER_SYNCHRONOUS") ?? "NORMAL";
  if (!isOrderSynchronous(orderSynchronous)) {
    throw new ConfigError("ORDER_SYNCHRONOUS", orderSynchronous, `must be one of ${orderSynchronousValues.join(", ")}`);
  }

  const frontEndDialect = readText(environment, "FRONTEND_DIALECT") ?? "bazaar";
  if (!isDialectName(frontEndDialect)) {
    throw new ConfigError("FRONTEND_DIALECT", frontEndDialect, `must be one of ${dialectNames.join(", ")}`);
  }
  const cacheLeaseMs = integer("CACHE_LEASE_MS", defaultCacheLeaseMs, 50, cacheLeaseMaxMs);
  const requestTimeoutMs = integer("REQUEST_TIMEOUT_MS", requestTimeoutDefaultMs(frontEndDialect), 10, 600_000);
  // When a front-end dies, a change waits for its lease: with a longer lease no trade could be answered in time. The
  // default is always allowed, so that a shorter timeout can be set alone: a death then costs half a second of
  // timeouts.
  if (cacheLeaseMs > defaultCacheLeaseMs && cacheLeaseMs * 2 > requestTimeoutMs) {
    const must = `must be at most half of REQUEST_TIMEOUT_MS, which is ${requestTimeoutMs}`;
    throw new ConfigError("CACHE_LEASE_MS", String(cacheLeaseMs), must);
  }

  const keepAliveTimeoutMs = integer(
    "KEEP_ALIVE_TIMEOUT_MS",
    Math.max(defaultKeepAliveTimeoutMs, requestTimeoutMs),
    1000,
    600_000,
  );
  if (keepAliveTimeoutMs < requestTimeoutMs) {
    const must = `must be at least REQUEST_TIMEOUT_MS, which is ${requestTimeoutMs}`;
    throw new ConfigError("KEEP_ALIVE_TIMEOUT_MS", String(keepAliveTimeoutMs), must);
  }

  return Object.freeze({
    ...addresses,
    frontEndDialect,
    tls,
    https: readHttpsFiles(environment),
    allowInsecure,
    dataDir: folder(readText(environment, "DATA_DIR") ?? "./data"),
    ledgerUrl,
    ledgerFailover: integer("LEDGER_FAILOVER", 0, 0, 1) === 1,
    cacheSize: integer("CACHE_SIZE", 1000, 0, 10_000_000),
    cacheTtlMs: integer("CACHE_TTL_MS", 0, 0, dayMs),
    cacheLeaseMs,
    orderMinCopies: integer(
      "ORDER_MIN_COPIES",
      1,
      1,
      addresses.replicas.size,
      ", which is how many ORDER_REPLICAS names",
    ),
    orderSynchronous,
    restockIntervalMs: integer("RESTOCK_INTERVAL_MS", 0, 0, dayMs),
    restockQuantity: integer("RESTOCK_QUANTITY", 100, 1, 2_147_483_647),
    rpcTimeoutMs: integer("RPC_TIMEOUT_MS", 3000, 10, 600_000),
    requestTimeoutMs,
    keepAliveTimeoutMs,
    drainMs: integer("DRAIN_MS", defaultDrainMs, 0, 600_000),
    ...readDoorSettings(environment),
    logLevel,
  });
}

/**
 * Where this process, a catalog, listens. Throws a ConfigError if it is one of several and only `CATALOG_LISTEN` could say
 * which one.
 */
export function catalogListenAddress({ listen }: Config): ListenAddress {
  const [first, second] = listen.catalogs;
  if (second !== undefined && first.variables.port !== "CATALOG_LISTEN") {
    const must = "must be the HOST:PORT on which this catalog listens, because CATALOG_ADDRESSES names several";
    throw new ConfigError("CATALOG_LISTEN", undefined, must);
  }
  return first;
}

/** Reads `ORDER_ID`, the id of this process. Throws a ConfigError unless it is one of the replicas. */
export function readReplicaId(environment: Environment, config: Config): number {
  const value = readText(environment, "ORDER_ID");
  const id = Number(value);
  if (value === undefined || !config.replicas.has(id)) {
    const ids = [...config.replicas.keys()].join(", ");
    throw new ConfigError("ORDER_ID", value, `must be one of ${ids}, the ids in ORDER_REPLICAS`);
  }
  return id;
}

/** Refuses a text that other programs don't read as a path: it would become a folder of that very name. */
function folder(value: string): string {
  if (/^(~|\$|:|["'%]|[a-z][a-z0-9+.-]+:)/i.test(value)) {
    const must = "must be the path of a folder, written out: no ~, quotes or variable of a shell, no URL, no :memory:";
    throw new ConfigError("DATA_DIR", value, must, `write ./${value} for a folder of that name`);
  }
  return value;
}

function isOrderSynchronous(text: string): text is OrderSynchronous {
  return (orderSynchronousValues as readonly string[]).includes(text);
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}
