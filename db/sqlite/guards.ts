/**
 * Guards for a service's calls to its database: a failure of the file becomes an error that callers can handle.
 *
 * Reads are guarded, too: they may be the first to meet a damaged page.
 */

import { BazaarError } from "@stock-bazaar/shared/errors";
import { explained, type SqliteClient } from "./connection.ts";
import { sqliteFailure } from "./failures.ts";
import type { DatabaseKind } from "./kind.ts";
import { defaultPatience, neverWait, type Patience, PatientWriter } from "./patient-writes.ts";

/** Runs `action` and returns its result. */
export type Guard = <Result>(action: () => Result) => Result;

/** The same for a write, which may be retried. */
export type WriteGuard = <Result>(action: () => Result) => Promise<Result>;

/**
 * A failure of the file becomes STORAGE_UNAVAILABLE: nothing was done, the caller may retry, and no other process could
 * do better. Before that, `broken` receives the error if the file can't be trusted any more.
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

/**
 * From now on no call on this database waits for another process's lock; a write is retried as long as `patience`
 * allows.
 */
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
