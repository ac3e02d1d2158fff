/**
 * The command line: `bun apps/cli/main.ts <command>`. Exits with 0 when the command did its work, 1 when it
 * failed, 2 when it was asked in a wrong way.
 */

import { Command } from "commander";
import { benchCommand } from "./commands/bench.ts";
import { chaosCommand } from "./commands/chaos.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { rebuildCatalogCommand } from "./commands/rebuild-catalog.ts";
import { seedCommand } from "./commands/seed.ts";
import { upCommand } from "./commands/up.ts";
import { verifyCommand } from "./commands/verify.ts";
import { explainError } from "./errors.ts";

/** Each makes its command anew. A command reports failure by throwing. */
const commands = [
  upCommand,
  migrateCommand,
  seedCommand,
  verifyCommand,
  rebuildCatalogCommand,
  chaosCommand,
  benchCommand,
];

const program = new Command("bazaar")
  .description("Stock Bazaar: a stock-trading service that never loses an acknowledged order")
  .exitOverride();
for (const create of commands) program.addCommand(create().copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  const { message, exitCode } = explainError(error);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
