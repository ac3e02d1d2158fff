/**
 * How a command is told to the command line: its name, options, examples and exit codes. Its work is in `commands/` and
 * loaded only when it is run, so that `--help` and completion don't wait for databases and gRPC.
 */

import { Command } from "commander";
import { exitCodes } from "./errors.ts";

export interface Definition {
  /** With its arguments, like `order [number]`. */
  readonly usage: string;
  readonly description: string;
  /** A command line, and what it is for. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What the exit codes mean here; 2 is a wrong use, unless it says more. */
  readonly exits: Readonly<Record<number, string>>;
}

export function define({ usage, description, examples, exits }: Definition): Command {
  const [name = "", ...parameters] = usage.split(" ");
  const command = new Command(name).description(description);
  for (const parameter of parameters) command.argument(parameter);
  const codes = { [exitCodes.usage]: "it was asked in a wrong way", ...exits };
  return command.addHelpText("after", () =>
    ["", ...section("Examples", examples), "", ...section("Exit codes", Object.entries(codes))].join("\n"),
  );
}

/** A heading and two columns, as commander writes them. */
export function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)];
}
