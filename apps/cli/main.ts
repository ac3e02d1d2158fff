#!/usr/bin/env bun
/**
 * The command line: `bun apps/cli/main.ts <command>`, or `bazaar <command>`. The exit codes are in `errors.ts` and in
 * every `--help`.
 */

import { explainError } from "./errors.ts";
import { createProgram } from "./program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  const { message, exitCode } = explainError(error);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
