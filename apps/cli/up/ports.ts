/**
 * Are the ports free that the services will listen on? Found out before anything starts: otherwise a service would
 * die and be started again for ever, and its message would drown in those of the services that wait for it.
 */

import { connect, createServer, type Server } from "node:net";
import { type Address, type Config, withoutBrackets } from "@stock-bazaar/process/config";
import {
  type AddressVariables,
  catalogVariables,
  listenError,
  replicaVariables,
} from "@stock-bazaar/process/listen-error";
import { CommandError, exitCodes } from "../errors.ts";

const answerTimeoutMs = 1000;

/** Throws an error that names the variable of the first address that can't be listened on. */
export async function requireFreePorts(
  frontEnds: readonly [variables: AddressVariables, address: Address][],
  { catalog, replicas }: Pick<Config, "catalog" | "replicas">,
): Promise<void> {
  const wanted: [variables: AddressVariables, address: Address][] = [
    ...frontEnds,
    [catalogVariables, catalog],
    ...[...replicas.values()].map((address): [AddressVariables, Address] => [replicaVariables, address]),
  ];
  requireDifferent(wanted);
  // All are held until the last is tried: one address can be written in two ways.
  const held: Server[] = [];
  try {
    for (const [variables, address] of wanted) {
      try {
        held.push(await listen(address));
      } catch (error) {
        throw listenError(address, variables, error);
      }
    }
  } finally {
    await Promise.all(held.map(close));
  }
}

function requireDifferent(wanted: readonly [variables: AddressVariables, address: Address][]): void {
  const taken = new Map<string, string>();
  for (const [variables, { host, port }] of wanted) {
    const address = `${host}:${port}`;
    const other = taken.get(address);
    if (other === variables.port)
      throw new CommandError(`${other} names ${address} twice: each process needs its own port`, exitCodes.usage);
    if (other)
      throw new CommandError(
        `${other} and ${variables.port} both name ${address}: each needs its own port`,
        exitCodes.usage,
      );
    taken.set(address, variables.port);
  }
}

/** Can only this machine reach it? */
export function isLoopback({ host }: Address): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Does anybody listen there? Somebody on another machine who says nothing in time counts as nobody. */
export function isListening({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: withoutBrackets(host), port, timeout: answerTimeoutMs });
    const done = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
  });
}

function listen({ host, port }: Address): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: withoutBrackets(host), port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
