/** The program with all commands, in the order of its help. The work of a command is loaded when it runs. */

import { version } from "@stock-bazaar/process/version";
import { Command } from "commander";
import { section } from "./definition.ts";
import { backupCommand, restoreCommand } from "./definitions/backups.ts";
import { certsCommand } from "./definitions/certificates.ts";
import { completeCommand, completionCommand } from "./definitions/completion.ts";
import {
  exportCommand,
  importCommand,
  ledgerCommand,
  migrateCommand,
  rebuildCatalogCommand,
  rollingRestartCommand,
  seedCommand,
  upCommand,
  verifyCommand,
} from "./definitions/databases.ts";
import { benchCommand, chaosCommand, clientCommand, evaluateCommand } from "./definitions/measuring.ts";
import { tokenCommand } from "./definitions/tokens.ts";
import { lookupCommand, orderCommand, statusCommand, tradeCommand } from "./definitions/trading.ts";
import { type ExitCode, exitCodes } from "./errors.ts";

const groups = {
  "Run:": [upCommand, rollingRestartCommand, statusCommand, certsCommand, tokenCommand],
  "Trade:": [lookupCommand, tradeCommand, orderCommand],
  "Databases:": [
    migrateCommand,
    seedCommand,
    importCommand,
    exportCommand,
    verifyCommand,
    rebuildCatalogCommand,
    backupCommand,
    restoreCommand,
    ledgerCommand,
  ],
  "Load, faults, measurements:": [clientCommand, evaluateCommand, benchCommand, chaosCommand],
  "Help:": [completionCommand],
};

const examples = [
  ["bazaar up", "run everything on this machine"],
  ["bazaar trade buy 1 GameStart", "buy one unit"],
  ["bazaar status --watch", "watch the leader and the other services"],
  ["bazaar help trade", "show the options and examples of a command"],
] as const;

const exits: Readonly<Record<ExitCode, string>> = {
  [exitCodes.ok]: "done",
  [exitCodes.failed]: "the command failed, or a check did; the output says why",
  [exitCodes.usage]: "an option, an argument or an environment variable is wrong",
  [exitCodes.noAnswer]: "the bazaar doesn't answer; the outcome of a trade that was sent is unknown",
};

const wrongOption = /^error: option '(?<name>--[\w-]+)[^']*' argument '(?<value>.*)' is invalid\. (?<must>.*)/s;
const wrongArgument =
  /^error: command-argument value '(?<value>.*)' is invalid for argument '(?<name>\w+)'\. (?<must>.*)/s;
const wrongChoice = /^Allowed choices are (.*)\.$/;

/** Rewords commander's message about a wrong value: what it must be, then what it was. Other messages stay. */
function reword(text: string): string {
  const { name, value, must } = (wrongOption.exec(text) ?? wrongArgument.exec(text))?.groups ?? {};
  if (must === undefined) return text;
  return `${name} ${must.trimEnd().replace(wrongChoice, "must be one of $1")} (got ${JSON.stringify(value)})\n`;
}

export function createProgram(): Command {
  const program = new Command("bazaar")
    .description("Stock Bazaar: a stock-trading service that never loses an acknowledged order")
    .version(version, "--version", "print the version")
    .showHelpAfterError("`bazaar --help` lists the commands.")
    .configureOutput({ outputError: (text, write) => write(reword(text)) })
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

/** A command's own errors don't point to the list of commands, which is no help with an option. */
function add(program: Command, command: Command): void {
  program.addCommand(command.copyInheritedSettings(program).showHelpAfterError(false));
}

/** Replaces commander's own help command, which shows the program's help for an unknown command. */
function helpCommand(program: Command): Command {
  return new Command("help")
    .argument("[command]")
    .description("show the options and examples of a command")
    .helpOption(false)
    .action((name: string | undefined) => {
      const command = name === undefined ? program : program.commands.find((known) => known.name() === name);
      if (command === undefined) program.error(`error: unknown command '${name}'`);
      command.help();
    });
}
