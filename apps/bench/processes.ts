/** What the systems of five processes that the bazaar is compared with have in common. */

import type { Client, MethodDefinition } from "@grpc/grpc-js";
import type { Address, ListenAddress } from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import { ConfigError } from "@stock-bazaar/process/environment";
import { createClient } from "@stock-bazaar/transport/client";
import { runService } from "@stock-bazaar/process/service";

const connectTimeoutMs = 20_000;

export const stopGraceMs = 2000;

/** Finishes what was taken in. */
export type Stop = () => Promise<void>;

/** Runs the process which the first argument of the command line names. */
export async function runRole(system: string, roles: Record<string, (config: Config) => Promise<Stop>>): Promise<void> {
  const [role = ""] = process.argv.slice(2);
  await runService(`${system}-${role}`, async ({ config }) => {
    const start = roles[role];
    if (!start) throw new ConfigError("the first argument", role, `must be one of ${Object.keys(roles).join(", ")}`);
    return start(config);
  });
}

/** A method whose messages are JSON: one program on both sides needs no schema. */
export function jsonMethod<Request, Reply>(path: string, kind: "unary" | "stream"): MethodDefinition<Request, Reply> {
  const serialize = (message: Request | Reply) => Buffer.from(JSON.stringify(message));
  return {
    path,
    requestStream: kind === "stream",
    responseStream: kind === "stream",
    requestSerialize: serialize,
    requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as Request,
    responseSerialize: serialize,
    responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as Reply,
  };
}

/** Resolves when the service is there: so each process serves only when all behind it do. */
export function connect(address: Address): Promise<Client> {
  const client = createClient(address);
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + connectTimeoutMs, (error) => {
      if (error) reject(error);
      else resolve(client);
    });
  });
}

/** Nobody chooses: it is always the highest. */
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
  if (!address) throw new Error(`replica ${replicaId} has no address`);
  return address;
}

export function followerAddressesOf(config: Config): Address[] {
  const leaderId = leaderIdOf(config);
  return [...config.replicas].filter(([id]) => id !== leaderId).map(([, address]) => address);
}
