/**
 * The addresses that services bind, and those that other processes dial (decision 14).
 *
 * The two differ in a container, behind a forwarded port, and on a machine with several interfaces. A service that
 * binds the address that others dial could not start there, and one that announces `0.0.0.0` could not be found.
 */

import { isIPv4, isIPv6 } from "node:net";
import { ConfigError, type Environment, readText, readWholeNumber } from "./environment.ts";

/** The address of a service, as other processes dial it. */
export interface Address {
  /** A name, resolved when it is dialled, or an IP address. An IPv6 address stands in brackets, as in a URL. */
  readonly host: string;
  readonly port: number;
}

/** An address to bind. */
export interface ListenAddress extends Address {
  readonly variables: AddressVariables;
}

/** The variables that an address was read from: an error names the one to change. */
export interface AddressVariables {
  readonly host: string;
  readonly port: string;
}

export interface Addresses {
  readonly frontEnd: Address;
  /** One, or several on the same ledger, of which one at a time is active (R11). */
  readonly catalogs: readonly [Address, ...Address[]];
  /** Every order replica by its id, ascending. */
  readonly replicas: ReadonlyMap<number, Address>;
  readonly listen: {
    readonly frontEnd: ListenAddress;
    /**
     * In the order of `catalogs`. `CATALOG_LISTEN` applies to each of them: an environment that sets it starts only one
     * catalog.
     */
    readonly catalogs: readonly [ListenAddress, ...ListenAddress[]];
    /** By replica id. `ORDER_LISTEN` applies to every id: an environment that sets it starts only one replica. */
    readonly replicas: ReadonlyMap<number, ListenAddress>;
  };
}

export const portMax = 65_535;
const replicasMax = 9;
const defaultHost = "127.0.0.1";
const defaultReplicas = "1=127.0.0.1:6001,2=127.0.0.1:6002,3=127.0.0.1:6003";

export const frontEndVariables: AddressVariables = { host: "FRONTEND_HOST", port: "FRONTEND_PORT" };
export const catalogVariables: AddressVariables = { host: "CATALOG_HOST", port: "CATALOG_PORT" };
export const replicaVariables: AddressVariables = inOne("ORDER_REPLICAS");

/** Throws a ConfigError for the first value that isn't allowed. */
export function readAddresses(environment: Environment): Addresses {
  const frontEnd = readHostAndPort(environment, frontEndVariables, 8080);
  const [catalog, ...otherCatalogs] = readCatalogs(environment);
  const catalogListen = readListenAddress(environment, "CATALOG_LISTEN");
  const replicas = readReplicas(readText(environment, "ORDER_REPLICAS") ?? defaultReplicas);
  const orderListen = readListenAddress(environment, "ORDER_LISTEN");
  const listenOf = (address: Address): ListenAddress => orderListen ?? { ...address, variables: replicaVariables };
  const dialled = ({ host, port }: Address): Address => ({ host, port });
  return {
    frontEnd,
    catalogs: [dialled(catalog), ...otherCatalogs.map(dialled)],
    replicas,
    listen: {
      frontEnd: readListenAddress(environment, "FRONTEND_LISTEN") ?? { ...frontEnd, variables: frontEndVariables },
      catalogs: [catalogListen ?? catalog, ...otherCatalogs.map((other) => catalogListen ?? other)],
      replicas: new Map(Array.from(replicas, ([id, address]) => [id, listenOf(address)])),
    },
  };
}

/** `host:port`, as in a URL and in the variables that hold a whole address. */
export function addressText({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** Can only this machine reach the address? `127.0.0.256` is a name, which DNS may resolve to any address. */
export function isLoopback({ host }: Address): boolean {
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

/** The host of an address or of a URL, without the brackets around IPv6: the form that sockets take. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/**
 * The address at which this machine reaches a service that binds the given one. Not every system can dial a wildcard
 * address.
 */
export function dialledHere({ host, port }: Address): Address {
  return { host: host === "0.0.0.0" ? "127.0.0.1" : host === "[::]" ? "[::1]" : host, port };
}

/**
 * Throws a ConfigError if a service can be reached from other machines by gRPC: without TLS, all who reach it may read
 * and trade, and may read what others send.
 */
export function requireLoopback({ catalogs, replicas, listen }: Addresses, environment: Environment): void {
  const dialled = (addresses: Iterable<Address>, variables: AddressVariables) =>
    Array.from(addresses, (address) => ({ ...address, variables }));
  const all = [
    ...listen.catalogs,
    ...listen.replicas.values(),
    ...dialled(catalogs, readText(environment, "CATALOG_ADDRESSES") ? inOne("CATALOG_ADDRESSES") : catalogVariables),
    ...dialled(replicas.values(), replicaVariables),
  ];
  const open = all.find((address) => !isLoopback(address));
  if (!open) return;
  const { host, port } = open.variables;
  const must = "must be on a loopback address, like 127.0.0.1, unless TLS_CA, TLS_CERT and TLS_KEY are set";
  const hint = "ALLOW_INSECURE=1 allows it, for a network that only the services can reach";
  throw new ConfigError(host, host === port ? addressText(open) : open.host, must, hint);
}

/**
 * Reads `CATALOG_ADDRESSES`, else `CATALOG_HOST` and `CATALOG_PORT`. All may be set if they name the same, or the first,
 * address.
 */
function readCatalogs(environment: Environment): readonly [ListenAddress, ...ListenAddress[]] {
  const alone = readHostAndPort(environment, catalogVariables, 6000);
  const text = readText(environment, "CATALOG_ADDRESSES");
  if (text === undefined) return [{ ...alone, variables: catalogVariables }];
  const [catalog, ...others] = text.split(",").map((entry) => {
    const address = parseAddress(entry);
    if (address) return address;
    throw new ConfigError("CATALOG_ADDRESSES", text, `${mustBeAddress}, like 127.0.0.1:6000 or [::1]:6000`);
  });
  if (!catalog) throw new ConfigError("CATALOG_ADDRESSES", text, mustBeAddress);
  const texts = [catalog, ...others].map((address) => addressText(address).toLowerCase());
  if (new Set(texts).size < texts.length)
    throw new ConfigError("CATALOG_ADDRESSES", text, "must name each catalog once");
  const hint = others.length > 0 ? "CATALOG_LISTEN says which of several catalogs a process is" : undefined;
  const requireSame = (variable: string, given: string, listed: string) => {
    if (readText(environment, variable) !== undefined && given.toLowerCase() !== listed.toLowerCase())
      throw new ConfigError(variable, given, `must be ${listed}, as in CATALOG_ADDRESSES, or not be set`, hint);
  };
  requireSame("CATALOG_HOST", alone.host, catalog.host);
  requireSame("CATALOG_PORT", String(alone.port), String(catalog.port));
  const variables = inOne("CATALOG_ADDRESSES");
  return [{ ...catalog, variables }, ...others.map((other) => ({ ...other, variables }))];
}

function readReplicas(value: string): ReadonlyMap<number, Address> {
  const must = `must be a list of 1 to ${replicasMax} ID=HOST:PORT, the ids from 1 to 65535, no id and no address twice, like ${defaultReplicas}`;
  const wrong = () => new ConfigError("ORDER_REPLICAS", value, must);
  const replicas: [number, Address][] = value.split(",").map((entry) => {
    const match = /^\s*(\d{1,5})=(.+)$/.exec(entry);
    const [, id = "0", address = ""] = match ?? [];
    const replica = parseAddress(address);
    if (!replica || Number(id) < 1 || Number(id) > 65_535) throw wrong();
    return [Number(id), replica];
  });
  const addresses = new Set(replicas.map(([, address]) => addressText(address)));
  const byId = new Map(replicas.sort(([a], [b]) => a - b));
  if (replicas.length > replicasMax || addresses.size < replicas.length || byId.size < replicas.length) throw wrong();
  return byId;
}

function readListenAddress(environment: Environment, variable: string): ListenAddress | undefined {
  const text = readText(environment, variable);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (!address) throw new ConfigError(variable, text, `${mustBeAddress}, like 0.0.0.0:6000 or [::]:6000`);
  return { ...address, variables: inOne(variable) };
}

function readHostAndPort(environment: Environment, variables: AddressVariables, defaultPort: number): Address {
  const given = readText(environment, variables.host) ?? defaultHost;
  const host = isIPv6(given) ? `[${given}]` : given;
  if (!isHost(host)) throw new ConfigError(variables.host, given, "must be a host name or an IP address");
  return { host, port: readWholeNumber(environment, variables.port, { fallback: defaultPort, min: 1, max: portMax }) };
}

const mustBeAddress = `must be HOST:PORT, with a port from 1 to ${portMax}`;

function parseAddress(text: string): Address | undefined {
  const [, host = "", digits = ""] = /^\s*(.+):(\d{1,5})\s*$/.exec(text) ?? [];
  const port = Number(digits);
  return isHost(host) && port >= 1 && port <= portMax ? { host, port } : undefined;
}

function isHost(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,253}$/.test(text) || (/^\[.*\]$/.test(text) && isIPv6(withoutBrackets(text)));
}

/** The variables of an address that one variable holds whole. */
function inOne(variable: string): AddressVariables {
  return { host: variable, port: variable };
}
