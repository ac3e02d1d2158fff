/** All commands, in the order of the help. What they do is loaded when one of them is run. */

import { version } from "@stock-bazaar/process/version";
import { Command } from "commander";
import { section } from "./definition.ts";
import { completeCommand, completionCommand } from "./definitions/completion.ts";
import {
  exportCommand,
  importCommand,
  migrateCommand,
  rebuildCatalogCommand,
  seedCommand,
  upCommand,
  verifyCommand,
} from "./definitions/databases.ts";
import { benchCommand, chaosCommand, clientCommand, evaluateCommand } from "./definitions/measuring.ts";
import { lookupCommand, orderCommand, statusCommand, tradeCommand } from "./definitions/trading.ts";
import { type ExitCode, exitCodes } from "./errors.ts";

const groups = {
  "Run it:": [upCommand, statusCommand],
  "Trade:": [lookupCommand, tradeCommand, orderCommand],
  "Databases:": [migrateCommand, seedCommand, importCommand, exportCommand, verifyCommand, rebuildCatalogCommand],
  "Load, faults, figures:": [clientCommand, evaluateCommand, benchCommand, chaosCommand],
  "Help:": [completionCommand],
};

const examples = [
  ["bazaar up", "run everything on this machine"],
  ["bazaar trade buy 1 GameStart", "trade"],
  ["bazaar status --watch", "see who leads"],
  ["bazaar help trade", "more about a command, with examples"],
] as const;

const exits: Readonly<Record<ExitCode, string>> = {
  [exitCodes.ok]: "done",
  [exitCodes.failed]: "it failed, or something is not as it must be: the output says what",
  [exitCodes.usage]: "it was asked in a wrong way: an option, an argument or a variable of the environment",
  [exitCodes.noAnswer]:
    "the bazaar doesn't answer, or something else does: what became of a trade that was sent isn't known",
};

/** Commander's words for a wrong argument, which are others than those for a wrong option. */
const argumentError = /^error: command-argument value '(.*)' is invalid for argument '(\w+)'\./s;

export function createProgram(): Command {
  const program = new Command("bazaar")
    .description("Stock Bazaar: a stock-trading service that never loses an acknowledged order")
    .version(version, "--version", "print the version")
    .showHelpAfterError("`bazaar --help` lists the commands.")
    .configureOutput({ outputError: (text, write) => write(text.replace(argumentError, "error: $2 '$1' is invalid.")) })
    .helpCommand(false)
    .addHelpText("after", () =>
      ["", ...section("Examples", examples), "", ...section("Exit codes", Object.entries(exits))].join("\n"),
    )
    .exitOverride();
  for (const [heading, creates] of Object.entries(groups)) {
    for (const create of creates) add(program, create().helpGroup(heading));
  }
  add(program, helpCommand(program).helpGroup("Help:"));
  return program.addCommand(completeCommand(program).copyInheritedSettings(program), { hidden: true });
}

/** What it is asked wrongly it answers for itself: the list of commands is no help with an option. */
function add(program: Command, command: Command): void {
  program.addCommand(command.copyInheritedSettings(program).showHelpAfterError(false));
}

/** Commander's own shows the help of the program for a command that isn't there. */
function helpCommand(program: Command): Command {
  return new Command("help")
    .argument("[command]")
    .description("more about a command, with examples")
    .helpOption(false)
    .action((name: string | undefined) => {
      const command = name === undefined ? program : program.commands.find((known) => known.name() === name);
      if (command === undefined) program.error(`error: unknown command '${name}'`);
      command.help();
    });
}
