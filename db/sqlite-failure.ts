/** What a failed write means to whoever waits for it. */

/** `passing`: nothing was done, and the same may succeed later. `broken`: the file can't be trusted any more. */
export type SqliteFailure = "passing" | "broken" | "other";

export function sqliteFailure(error: unknown): SqliteFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Somebody holds the write lock, or the disk is full: the transaction was rolled back.
  if (/^SQLITE_(BUSY|LOCKED|FULL)/.test(code)) return "passing";
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN)/.test(code)) return "broken";
  return "other";
}
