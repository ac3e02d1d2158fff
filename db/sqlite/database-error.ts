/**
 * The error for a database that can't be used. Its message names the command that repairs it: a person reads it when a
 * service won't start.
 */

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
