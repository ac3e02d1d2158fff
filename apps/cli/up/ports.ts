/**
 * Checks that the services' ports are free before anything starts. Otherwise a service would die and be restarted for
 * ever, and its message would drown in those of the services that wait for it.
 */

import { connect, createServer, type Server } from "node:net";
import {
  type Address,
  addressText,
  dialledHere,
  type ListenAddress,
  withoutBrackets,
} from "@stock-bazaar/process/addresses";
import type { Config } from "@stock-bazaar/process/config";
import { listenError } from "@stock-bazaar/process/listen-error";
import { CommandError, exitCodes } from "../errors.ts";

const answerTimeoutMs = 1000;

/** Throws an error that names the variable of the first address on which no service can listen. */
export async function requireFreePorts(wanted: readonly ListenAddress[]): Promise<void> {
  requireDifferent(wanted);
  // Every port is held until the last has been tried, because one address can be written in two ways.
  const held: { readonly address: ListenAddress; readonly server: Server }[] = [];
  const release = () => Promise.all(held.map(({ server }) => close(server)));
  try {
    for (const address of wanted) {
      try {
        held.push({ address, server: await listen(address) });
      } catch (error) {
        const other = held.find((earlier) => earlier.address.port === address.port);
        await release();
        throw other && (await isFree(address)) ? overlap(other.address, address) : listenError(address, error);
      }
    }
  } finally {
    await release();
  }
}

/** The error for two addresses that differ only as text, like 127.0.0.1:6000 and 0.0.0.0:6000. */
function overlap(one: ListenAddress, other: ListenAddress): CommandError {
  const named = [one, other].map((address) => `${address.variables.port} (${addressText(address)})`).join(" and ");
  return new CommandError(`${named} name the same port: each needs its own port`, exitCodes.usage);
}

async function isFree(address: Address): Promise<boolean> {
  try {
    await close(await listen(address));
    return true;
  } catch {
    return false;
  }
}

function requireDifferent(wanted: readonly ListenAddress[]): void {
  const taken = new Map<string, string>();
  for (const address of wanted) {
    const text = addressText(address);
    const { port: variable } = address.variables;
    const other = taken.get(text);
    if (other === variable)
      throw new CommandError(`${other} names ${text} twice: each process needs its own port`, exitCodes.usage);
    if (other)
      throw new CommandError(`${other} and ${variable} both name ${text}: each needs its own port`, exitCodes.usage);
    taken.set(text, variable);
  }
}

/** Throws if a catalog answers where others dial it, or where one on this machine listens. */
export async function requireNoCatalog({ catalogs, listen }: Config, stopIt: string): Promise<void> {
  for (const address of [...catalogs, ...listen.catalogs.map(dialledHere)]) {
    if (await isListening(address)) throw new CommandError(`a catalog answers at ${addressText(address)}: ${stopIt}`);
  }
}

/** Does a process accept connections there? A machine that doesn't answer in time counts as no. */
function isListening({ host, port }: Address): Promise<boolean> {
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
