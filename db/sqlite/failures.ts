/** Classifies errors of SQLite by their code. */

/** `passing`: nothing was done, and the same call may succeed later. `broken`: the file can't be trusted any more. */
export type SqliteFailure = "passing" | "broken" | "other";

/** A code like `SQLITE_CORRUPT_INDEX`; "" for an error that doesn't come from SQLite. */
export function sqliteCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function sqliteFailure(error: unknown): SqliteFailure {
  const code = sqliteCode(error);
  // Another connection holds the write lock, or the disk is full: the transaction was rolled back.
  if (/^SQLITE_(BUSY|LOCKED|FULL)/.test(code)) return "passing";
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN)/.test(code)) return "broken";
  return "other";
}
