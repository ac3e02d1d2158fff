/** The names of a cluster's services, their ports, and the environment variables with their addresses. */

import type { Environment } from "@stock-bazaar/process/environment";
import { type Hosts, oneHost } from "./hosts.ts";
import { freePorts } from "./ports.ts";

export interface ServicePorts {
  readonly catalog: number;
  /** Ports of the other catalogs on the same ledger, by number, from 2. */
  readonly otherCatalogs: ReadonlyMap<number, number>;
  /** Ports by replica id. */
  readonly replicas: ReadonlyMap<number, number>;
  /** Ports by front-end number, from 1. */
  readonly frontEnds: ReadonlyMap<number, number>;
}

export function replicaName(id: number): string {
  return `order-${id}`;
}

export function frontEndName(number: number): string {
  return `front-end-${number}`;
}

/** The first is called `catalog`. */
export function catalogName(number: number): string {
  return number === 1 ? "catalog" : `catalog-${number}`;
}

export async function choosePorts(replicas: number, frontEnds: number, catalogs = 1): Promise<ServicePorts> {
  const [catalog = 0, ...others] = await freePorts(catalogs + replicas + frontEnds);
  const numbered = (ports: readonly number[], first = 1) => new Map(ports.map((port, index) => [index + first, port]));
  const rest = others.slice(catalogs - 1);
  return {
    catalog,
    otherCatalogs: numbered(others.slice(0, catalogs - 1), 2),
    replicas: numbered(rest.slice(0, replicas)),
    frontEnds: numbered(rest.slice(replicas)),
  };
}

/** The variables with all addresses. `portOf` and `hostOf` map the name of a service to what to dial. */
export function addressVariables(
  replicaIds: Iterable<number>,
  portOf: (name: string) => number,
  hostOf: (name: string) => string = (name) => oneHost.nameOf(name),
  otherCatalogs: Iterable<number> = [],
): Readonly<Record<string, string>> {
  const addressOf = (name: string) => `${hostOf(name)}:${portOf(name)}`;
  const catalogs = [1, ...otherCatalogs].map(catalogName);
  const isOneHere = catalogs.length === 1 && hostOf("catalog") === oneHost.here;
  return {
    ...(isOneHere
      ? { CATALOG_PORT: String(portOf("catalog")) }
      : { CATALOG_ADDRESSES: catalogs.map(addressOf).join() }),
    ORDER_REPLICAS: Array.from(replicaIds, (id) => `${id}=${addressOf(replicaName(id))}`).join(),
  };
}

/** The URLs of the front-ends in the order of their numbers. */
export function frontEndUrls({ frontEnds }: ServicePorts, hosts: Hosts, environment: Environment): string[] {
  const scheme = environment.FRONTEND_TLS_CERT === undefined ? "http" : "https";
  return Array.from(frontEnds, ([number, port]) => `${scheme}://${hosts.nameOf(frontEndName(number))}:${port}`);
}

/** The services that others connect to, by name. */
export function listeners({ catalog, otherCatalogs, replicas }: ServicePorts): Map<string, number> {
  const others = Array.from(otherCatalogs, ([number, port]) => [catalogName(number), port] as const);
  return new Map([
    ["catalog", catalog],
    ...others,
    ...Array.from(replicas, ([id, port]) => [replicaName(id), port] as const),
  ]);
}
