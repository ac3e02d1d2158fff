/** What options of commands may be: a wrong value is a wrong use, told with what is allowed. */

import { type Command, InvalidArgumentError, Option } from "commander";

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Allowed is a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** An option with several values; by default it has all of them. */
export function list<Entry>(
  flag: string,
  description: string,
  parse: (text: string) => Entry[],
  all: readonly Entry[],
): Option {
  return new Option(`${flag} <list>`, description).argParser(parse).default([...all], all.join());
}

/** Of things that have any name. */
export function nameList(what: string): (text: string) => string[] {
  const name = filled(`a list of ${what}, separated by commas`);
  return (text) => text.split(",").map((entry) => name(entry).trim());
}

export function listOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((entry) => {
      const name = names.find((known) => known === entry.trim());
      if (name === undefined) throw new InvalidArgumentError(`Allowed are ${names.join(", ")}, separated by commas.`);
      return name;
    });
}

/** From 0 to 1, like 0.4. */
export function share(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value > 1) throw new InvalidArgumentError("Allowed is a number from 0 to 1.");
  return value;
}

/** Which front-end to ask; what isn't said is that of the environment. */
export interface AddressOptions {
  readonly host?: string;
  readonly port?: number;
}

export function addAddress(command: Command): Command {
  return command
    .option("--host <host>", "of the front-end; default: FRONTEND_HOST, else 127.0.0.1", hostName)
    .option("--port <n>", "of the front-end; default: FRONTEND_PORT, else 8080", wholeNumber(1, 65_535));
}

/** Without what could be taken for a path or a password of it: like `http://bazaar.example:8080`. */
export function frontEndAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" || url.href !== `${url.origin}/`)
    throw new InvalidArgumentError("Allowed is the address of a front-end, like http://bazaar.example:8080.");
  return url.origin;
}

/** A name or an address; one of IPv6 with or without brackets. */
function hostName(text: string): string {
  const host = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  if (!URL.canParse(`http://${host}`) || new URL(`http://${host}`).host !== host.toLowerCase())
    throw new InvalidArgumentError("Allowed is a host name or an IP address.");
  return host;
}

/** What an empty argument can't mean: `allowed` completes "Allowed is". */
export function filled(allowed: string): (text: string) => string {
  return (text) => {
    if (text.trim() === "") throw new InvalidArgumentError(`Allowed is ${allowed}.`);
    return text;
  };
}

export function numberList(parse: (text: string) => number): (text: string) => number[] {
  return (text) => text.split(",").map((entry) => parse(entry.trim()));
}

/** An option that may be given several times, and with several values. */
export function collected<Value>(parse: (text: string) => Value): (text: string, before?: Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)];
}

/** How many orders `order` shows if `--limit` isn't given. */
export const usualLimit = 20;
