/** What options of commands may be: a wrong value is a wrong use, told with what is allowed. */

import { InvalidArgumentError, Option } from "commander";

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

export function listOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((entry) => {
      const name = names.find((known) => known === entry.trim());
      if (name === undefined) throw new InvalidArgumentError(`Allowed are ${names.join(", ")}, separated by commas.`);
      return name;
    });
}
