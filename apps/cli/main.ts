#!/usr/bin/env bun
/**
 * The command line: `bun apps/cli/main.ts <command>`, or `bazaar <command>`. The exit codes are in `errors.ts` and in
 * every `--help`.
 */

import { explainError } from "./errors.ts";
import { createProgram } from "./program.ts";

// `bazaar order | head -1`: who has read enough is no failure to be told of.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(1);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  const { message, exitCode } = explainError(error);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
