/** Parsers of option values. Their errors say what a value must be; `program.ts` completes them to a sentence. */

import { type Command, InvalidArgumentError, Option } from "commander";

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

/** An option with a list of values. By default it has all of them. */
export function list<Entry>(
  flag: string,
  description: string,
  parse: (text: string) => Entry[],
  all: readonly Entry[],
): Option {
  return new Option(`${flag} <list>`, description).argParser(parse).default([...all], all.join());
}

/** Parses a list of names that may be anything but empty. */
export function nameList(what: string): (text: string) => string[] {
  const name = filled(`a list of ${what}, separated by commas`);
  return (text) => text.split(",").map((entry) => name(entry).trim());
}

export function listOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((entry) => {
      const name = names.find((known) => known === entry.trim());
      if (name === undefined)
        throw new InvalidArgumentError(`must be one or several of ${names.join(", ")}, separated by commas`);
      return name;
    });
}

/** Parses a number from 0 to 1, like 0.4. */
export function share(text: string): number {
  const value = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || value > 1) throw new InvalidArgumentError("must be a number from 0 to 1");
  return value;
}

/** The address of a front-end. The environment has the defaults. */
export interface AddressOptions {
  readonly host?: string;
  readonly port?: number;
  /** The file of the CA that signed the front-end's certificate. */
  readonly ca?: string;
}

export function addAddress(command: Command): Command {
  return command
    .option("--host <host>", "host of the front-end; default: FRONTEND_HOST, else 127.0.0.1", hostName)
    .option("--port <n>", "port of the front-end; default: FRONTEND_PORT, else 8080", wholeNumber(1, 65_535))
    .addOption(caOption());
}

export function caOption(): Option {
  return new Option("--ca <file>", "use HTTPS, and trust the CA in this file too; default: BAZAAR_CA").argParser(
    filled("the name of a file"),
  );
}

/** Parses a URL like `http://bazaar.example:8080`, without a path and a password. */
export function frontEndAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`)
    throw new InvalidArgumentError("must be the address of a front-end, like http://bazaar.example:8080");
  return url.origin;
}

/** Parses a host name or an IP address. One of IPv6 may have brackets. */
export function hostName(text: string): string {
  const host = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
  if (!URL.canParse(`http://${host}`) || new URL(`http://${host}`).host !== host.toLowerCase())
    throw new InvalidArgumentError("must be a host name or an IP address");
  return host;
}

/** Refuses an empty value. `what` completes "must be". */
export function filled(what: string): (text: string) => string {
  return (text) => {
    if (text.trim() === "") throw new InvalidArgumentError(`must be ${what}`);
    return text;
  };
}

export function numberList(parse: (text: string) => number): (text: string) => number[] {
  return (text) => {
    try {
      return text.split(",").map((entry) => parse(entry.trim()));
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw new InvalidArgumentError(`${error.message}, or several separated by commas`);
    }
  };
}

/** An option that may be given several times, and with several values. */
export function collected<Value>(parse: (text: string) => Value): (text: string, before?: Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)];
}

/** How many orders `order` shows without `--limit`. */
export const usualLimit = 20;
