/** What a failed command says and exits with: one clear message, no stack trace. */

import { ConfigError } from "@stock-bazaar/process/environment";
import { exitSetup } from "@stock-bazaar/shared/errors";
import { CommanderError } from "commander";

export const exitCodes = {
  ok: 0,
  failed: 1,
  /** A wrong option or environment: to run the same again can't help. Services exit with it too. */
  usage: exitSetup,
  /** The bazaar doesn't answer: what became of a trade isn't known. */
  noAnswer: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Thrown by a command for what the user has to know. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

/** An empty message: whoever threw the error has told it already. */
export function explainError(error: unknown): { message: string; exitCode: ExitCode } {
  if (error instanceof CommanderError) {
    return { message: "", exitCode: error.exitCode === 0 ? exitCodes.ok : exitCodes.usage };
  }
  if (error instanceof ConfigError) return { message: error.message, exitCode: exitCodes.usage };
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  return { message: error instanceof Error ? error.message : String(error), exitCode: exitCodes.failed };
}
