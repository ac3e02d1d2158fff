/** The names of a cluster's services, their ports, and the environment variables with their addresses. */

import { oneHost } from "./hosts.ts";
import { freePorts } from "./ports.ts";

export interface ServicePorts {
  readonly catalog: number;
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

export async function choosePorts(replicas: number, frontEnds: number): Promise<ServicePorts> {
  const [catalog = 0, ...others] = await freePorts(1 + replicas + frontEnds);
  const numbered = (ports: readonly number[]) => new Map(ports.map((port, index) => [index + 1, port]));
  return { catalog, replicas: numbered(others.slice(0, replicas)), frontEnds: numbered(others.slice(replicas)) };
}

/** The variables with all addresses. `portOf` and `hostOf` map the name of a service to what to dial. */
export function addressVariables(
  replicaIds: Iterable<number>,
  portOf: (name: string) => number,
  hostOf: (name: string) => string = (name) => oneHost.nameOf(name),
): Readonly<Record<string, string>> {
  const addressOf = (name: string) => `${hostOf(name)}:${portOf(name)}`;
  const isHere = hostOf("catalog") === oneHost.here;
  return {
    ...(isHere ? { CATALOG_PORT: String(portOf("catalog")) } : { CATALOG_ADDRESSES: addressOf("catalog") }),
    ORDER_REPLICAS: Array.from(replicaIds, (id) => `${id}=${addressOf(replicaName(id))}`).join(),
  };
}

/** The services that others connect to, by name. */
export function listeners({ catalog, replicas }: ServicePorts): Map<string, number> {
  return new Map([["catalog", catalog], ...Array.from(replicas, ([id, port]) => [replicaName(id), port] as const)]);
}
