/** What it means to whoever waits when SQLite can't do what it was asked for. */

import { BazaarError } from "@stock-bazaar/shared/errors";
import { explained, type SqliteClient } from "./connection.ts";
import type { DatabaseKind } from "./schema-version.ts";
import { defaultPatience, neverWait, type Patience, PatientWriter } from "./patient-writes.ts";

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

/** The same for what writes: it may have to be tried again. */
export type WriteGuard = <Result>(action: () => Result) => Promise<Result>;

/**
 * A failure of the file becomes STORAGE_UNAVAILABLE: nothing was done, the caller may ask again, and no other process
 * could do better. `broken` receives a file that can't be trusted any more, before that.
 */
export function guardDatabase({ client, kind }: GuardedDatabase, broken: (error: unknown) => void): Guard {
  return (action) => {
    try {
      return action();
    } catch (error) {
      throw failureOf(error, { client, kind }, broken);
    }
  };
}

/** From now on no call on this database waits for another process's lock; a write is tried again for a while. */
export function guardWrites(
  { client, kind }: GuardedDatabase,
  broken: (error: unknown) => void,
  patience: Patience = defaultPatience,
): WriteGuard {
  neverWait(client);
  const writer = new PatientWriter(patience);
  return async (action) => {
    try {
      return await writer.run(action);
    } catch (error) {
      throw failureOf(error, { client, kind }, broken);
    }
  };
}

interface GuardedDatabase {
  readonly client: SqliteClient;
  readonly kind: DatabaseKind;
}

function failureOf(error: unknown, { client, kind }: GuardedDatabase, broken: (error: unknown) => void): unknown {
  const failure = sqliteFailure(error);
  if (failure === "other") return error;
  const explanation = explained(client.name, kind, error);
  if (failure === "broken") broken(explanation);
  return new BazaarError("STORAGE_UNAVAILABLE", explanation.message, { cause: error });
}
