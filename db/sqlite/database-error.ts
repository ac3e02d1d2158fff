/**
 * The error for a database that can't be used. Its message names the command that repairs it: a person reads it when a
 * service won't start.
 */

import { SetupError } from "@stock-bazaar/shared/errors";

export type DatabaseProblem =
  | "missing"
  | "unreadable"
  | "disk-full"
  | "not-sqlite"
  | "damaged"
  | "wrong-kind"
  | "not-migrated"
  | "too-new";

export class DatabaseError extends Error {
  readonly problem: DatabaseProblem;
  readonly file: string;

  /** `text` completes the sentence that begins with the name of the file. */
  constructor(problem: DatabaseProblem, file: string, text: string, options?: { cause?: unknown }) {
    super(`${file} ${text}`, options);
    this.name = "DatabaseError";
    this.problem = problem;
    this.file = file;
  }
}

/** Like `start`, but an error with one of these problems becomes a SetupError: starting again can't help. */
export function refusing<Context, Result>(
  problems: readonly DatabaseProblem[],
  start: (context: Context) => Promise<Result>,
): (context: Context) => Promise<Result> {
  return async (context) => {
    try {
      return await start(context);
    } catch (error) {
      if (!(error instanceof DatabaseError && problems.includes(error.problem))) throw error;
      throw new SetupError(error.message, { cause: error });
    }
  };
}

/** The problems of a catalog's database that only a person can end. */
export const catalogProblems: readonly DatabaseProblem[] = ["damaged", "not-sqlite", "wrong-kind", "too-new"];
