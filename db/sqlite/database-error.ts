/** Why a database can't be used, and which command mends it: what a person reads when a service won't start. */

export type DatabaseProblem =
  | "missing"
  | "unreadable"
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
