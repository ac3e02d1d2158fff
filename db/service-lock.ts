/**
 * One service for each database. Two catalogs on one file would each think that every cache hears from it, and two
 * replicas would take each other's next row. So a service holds a lock for as long as it lives: SQLite's own, on an empty
 * file beside the database, which the system takes back however the process ends. Tools look into the database meanwhile.
 * While it is held, `file-watch.ts` looks whether it still has its name.
 */

import { basename, dirname } from "node:path";
import { ConfigError } from "@stock-bazaar/shared/config";
import { SetupError } from "@stock-bazaar/shared/errors";
import { connect, type SqliteClient } from "./connection.ts";
import { realFile, requireFolderOf, requireWritableFile, requireWritableFolderOf } from "./files.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** What nobody refers to is closed one day, and its lock with it. */
const held = new Set<SqliteClient>();

/** Beside the database itself, so that two names of it have one lock. */
export function lockFileOf(database: string): string {
  return `${realFile(database)}-lock`;
}

/**
 * Throws a ConfigError if another service has the lock, and still has it two seconds later: it may be ending. Returns
 * what gives the lock back.
 */
export function lockForService(database: string): () => void {
  const unlock = lockIfFree(database);
  if (unlock) return unlock;
  const taken = `another service uses ${basename(database)} there; stop it, or choose another folder`;
  throw new ConfigError("DATA_DIR", dirname(database), taken);
}

/** The same, but undefined if another has the lock. The database itself needn't be there, its folder must. */
export function lockIfFree(database: string): (() => void) | undefined {
  requireFolderOf(database);
  requireWritableFolderOf(database);
  try {
    const lock = take(lockFileOf(database));
    held.add(lock);
    return () => {
      held.delete(lock);
      lock.close();
    };
  } catch (error) {
    if (sqliteFailure(error) !== "passing") throw error;
    return undefined;
  }
}

function take(file: string): SqliteClient {
  requireWritableFile(file);
  const lock = connect(file, "write");
  try {
    // There is nothing to roll back, so no file for it either.
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    requireHeld(file, lock);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** Where SQLite may not write a file it takes no lock on it, and reports none of that. */
function requireHeld(file: string, lock: SqliteClient): void {
  const wrong = (was: string) => new SetupError(`${file} must be a file that this user can write and lock (${was})`);
  try {
    // Never committed: the lock that a write needs is the one that is to be held.
    lock.pragma("user_version = 1");
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  // Another lock on what has the name now is refused, unless that is no longer the same file.
  if (isFree(file)) throw wrong("a second lock on it was granted: was it replaced at this moment?");
}

function isFree(file: string): boolean {
  let other: SqliteClient | undefined;
  try {
    other = connect(file, "write", 0);
    other.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (sqliteFailure(error) === "passing") return false;
    throw error;
  } finally {
    other?.close();
  }
}
