/**
 * Declares a command: its name, options, examples and exit codes. Its work is in `commands/` and is loaded only when
 * the command runs, so that `--help` and completion don't load databases and gRPC.
 */

import { Command } from "commander";
import { exitCodes } from "./errors.ts";

export interface Definition {
  /** The name with the arguments, like `order [number]`. */
  readonly usage: string;
  readonly description: string;
  /** Command lines, each with its purpose. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** The meaning of each exit code. 2 has a default. */
  readonly exits: Readonly<Record<number, string>>;
}

export function define({ usage, description, examples, exits }: Definition): Command {
  const [name = "", ...parameters] = usage.split(" ");
  const command = new Command(name).description(description);
  for (const parameter of parameters) command.argument(parameter);
  const codes = { [exitCodes.usage]: "an option, an argument or an environment variable is wrong", ...exits };
  return command.addHelpText("after", () =>
    ["", ...section("Examples", examples), "", ...section("Exit codes", Object.entries(codes))].join("\n"),
  );
}

/** A heading and two columns, in commander's format. */
export function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)];
}
