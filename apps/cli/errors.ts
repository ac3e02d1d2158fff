/** The message and the exit code of a failed command. Users see one message and no stack trace. */

import { ConfigError } from "@stock-bazaar/process/environment";
import { exitSetup } from "@stock-bazaar/shared/errors";
import { CommanderError } from "commander";

export const exitCodes = {
  ok: 0,
  failed: 1,
  /** A wrong option or environment: the same command would fail again. Services exit with it too. */
  usage: exitSetup,
  /** The bazaar doesn't answer: the outcome of a trade is unknown. */
  noAnswer: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure of a command, with a message for the user. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

/** The message is empty if it has been printed already. */
export function explainError(error: unknown): { message: string; exitCode: ExitCode } {
  if (error instanceof CommanderError) {
    return { message: "", exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
  }
  if (error instanceof ConfigError) return { message: error.message, exitCode: exitCodes.usage };
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  return { message: error instanceof Error ? error.message : String(error), exitCode: exitCodes.failed };
}
