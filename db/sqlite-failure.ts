/** What it means to whoever waits when SQLite can't do what it was asked for. */

import { BazaarError } from "@stock-bazaar/shared/errors";
import { explained, type SqliteClient } from "./connection.ts";
import type { DatabaseKind } from "./schema-version.ts";

/** `passing`: nothing was done, and the same may succeed later. `broken`: the file can't be trusted any more. */
export type SqliteFailure = "passing" | "broken" | "other";

/** `SQLITE_CORRUPT_INDEX`; "" for what doesn't come from SQLite. */
export function sqliteCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function sqliteFailure(error: unknown): SqliteFailure {
  const code = sqliteCode(error);
  // Somebody holds the write lock, or the disk is full: the transaction was rolled back.
  if (/^SQLITE_(BUSY|LOCKED|FULL)/.test(code)) return "passing";
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN)/.test(code)) return "broken";
  return "other";
}

/** What a service does with its database passes through here, reads too: they may be the first to meet a damaged page. */
export type Guard = <Result>(action: () => Result) => Result;

/**
 * A failure of the file becomes STORAGE_UNAVAILABLE: nothing was done, the caller may ask again, and no other process
 * could do better. `broken` receives a file that can't be trusted any more, before that.
 */
export function guardDatabase(
  { client, kind }: { client: SqliteClient; kind: DatabaseKind },
  broken: (error: unknown) => void,
): Guard {
  return (action) => {
    try {
      return action();
    } catch (error) {
      const failure = sqliteFailure(error);
      if (failure === "other") throw error;
      const told = explained(client.name, kind, error);
      if (failure === "broken") broken(told);
      throw new BazaarError("STORAGE_UNAVAILABLE", told.message, { cause: error });
    }
  };
}
