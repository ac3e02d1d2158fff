/**
 * Are the ports free that the services will listen on? Found out before anything starts: otherwise a service would
 * die and be started again for ever, and its message would drown in those of the services that wait for it.
 */

import { connect, createServer, type Server } from "node:net";
import { type Address, type Config, withoutBrackets } from "@stock-bazaar/shared/config";
import { CommandError } from "./errors.ts";

const answerTimeoutMs = 1000;

/** Throws a CommandError that names the variable of the first address that can't be listened on. */
export async function requireFreePorts(config: Pick<Config, "frontEnd" | "catalog" | "replicas">): Promise<void> {
  const wanted: [variable: string, address: Address][] = [
    ["FRONTEND_PORT", config.frontEnd],
    ["CATALOG_PORT", config.catalog],
    ...[...config.replicas.values()].map((address): [string, Address] => ["ORDER_REPLICAS", address]),
  ];
  requireDifferent(wanted);
  // All are held until the last is tried: one address can be written in two ways.
  const held: Server[] = [];
  try {
    for (const [variable, address] of wanted) {
      try {
        held.push(await listen(address));
      } catch (error) {
        throw new CommandError(describe(variable, address, error), undefined, { cause: error });
      }
    }
  } finally {
    await Promise.all(held.map(close));
  }
}

function requireDifferent(wanted: readonly [variable: string, address: Address][]): void {
  const variables = new Map<string, string>();
  for (const [variable, { host, port }] of wanted) {
    const address = `${host}:${port}`;
    const other = variables.get(address);
    if (other) throw new CommandError(`${other} and ${variable} both name ${address}: each needs its own port`);
    variables.set(address, variable);
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

function describe(variable: string, { host, port }: Address, error: unknown): string {
  const address = `${host}:${port}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `${address} is taken by another process: stop that one, or name a free port in ${variable}`;
    case "EADDRNOTAVAIL":
      return `${address} is not an address of this machine: see ${variable}`;
    case "EACCES":
      return `${address} needs more privileges: name a port above 1023 in ${variable}`;
    default:
      return `${address} can't be listened on, see ${variable}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
