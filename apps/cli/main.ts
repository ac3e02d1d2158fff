/**
 * The command line, `bazaar <command>`. The script `bazaar` beside this file starts it. The exit codes are in `errors.ts`
 * and in every `--help`.
 */

import { exitCodes, explainError } from "./errors.ts";
import { isClosedPipe } from "./output.ts";
import { createProgram } from "./program.ts";

process.stdout.on("error", (error: Error) => {
  if (!isClosedPipe(error)) process.stderr.write(`standard output can't be written: ${error.message}\n`);
  process.exit(exitCodes.failed);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  const { message, exitCode } = explainError(error);
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}
