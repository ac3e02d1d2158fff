/** What the compared systems of five processes (naive.ts, floor.ts) have in common. */

import type { Client, MethodDefinition } from "@grpc/grpc-js";
import type { Address, ListenAddress } from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import { ConfigError } from "@stock-bazaar/process/environment";
import { createClient } from "@stock-bazaar/transport/client";
import { runService } from "@stock-bazaar/process/service";

const connectTimeoutMs = 20_000;

export const stopGraceMs = 2000;

/** Finishes the requests in flight and closes everything. */
export type Stop = () => Promise<void>;

/** Runs the role that the first argument of the command line names. */
export async function runRole(system: string, roles: Record<string, (config: Config) => Promise<Stop>>): Promise<void> {
  const [role = ""] = process.argv.slice(2);
  await runService(`${system}-${role}`, async ({ config }) => {
    const start = roles[role];
    if (!start) throw new ConfigError("the first argument", role, `must be one of ${Object.keys(roles).join(", ")}`);
    return start(config);
  });
}

/** A unary gRPC method with JSON messages: the same program runs on both sides, so no schema is needed. */
export function jsonMethod<Request, Reply>(path: string): MethodDefinition<Request, Reply> {
  const serialize = (message: Request | Reply) => Buffer.from(JSON.stringify(message));
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as Request,
    responseSerialize: serialize,
    responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as Reply,
  };
}

/** A two-way stream of texts. */
export function textMethod(path: string): MethodDefinition<string, string> {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: (text) => Buffer.from(text),
    requestDeserialize: (bytes) => bytes.toString(),
    responseSerialize: (text) => Buffer.from(text),
    responseDeserialize: (bytes) => bytes.toString(),
  };
}

/** Resolves once the service is connected, so that a process starts to serve only after all behind it serve. */
export function connect(address: Address): Promise<Client> {
  const client = createClient(address);
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + connectTimeoutMs, (error) => {
      if (error) reject(error);
      else resolve(client);
    });
  });
}

/** The highest id: these systems don't choose a leader. */
export function leaderIdOf({ replicas }: Config): number {
  return Math.max(...replicas.keys());
}

export function addressOf({ replicas }: Config, replicaId: number): Address {
  return found(replicas, replicaId);
}

export function listenAddressOf({ listen }: Config, replicaId: number): ListenAddress {
  return found(listen.replicas, replicaId);
}

function found<Found>(replicas: ReadonlyMap<number, Found>, replicaId: number): Found {
  const address = replicas.get(replicaId);
  if (!address) throw new Error(`ORDER_REPLICAS must have an address for replica ${replicaId} (got none)`);
  return address;
}

export function followerAddressesOf(config: Config): Address[] {
  const leaderId = leaderIdOf(config);
  return [...config.replicas].filter(([id]) => id !== leaderId).map(([, address]) => address);
}
