/**
 * One service for each database. Two catalogs on one file would each think that every cache hears from it, and two
 * replicas would take each other's next row. So a service holds a lock for as long as it lives: SQLite's own, on an empty
 * file beside the database, which the system takes back however the process ends. Tools look into the database meanwhile.
 * While it is held, `file-watch.ts` looks whether it still has its name.
 */

import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError } from "@stock-bazaar/process/environment";
import { SetupError } from "@stock-bazaar/shared/errors";
import { connect, type SqliteClient } from "./connection.ts";
import { lockFileOf, requireFolderOf, requireWritableFile, requireWritableFolderOf } from "./files.ts";
import { lookEveryMs } from "./file-watch.ts";
import { sqliteFailure } from "./failures.ts";

/** A service ends within this time when its lock file is gone. */
const noticedWithinMs = lookEveryMs + 500;
const lookAgainMs = 50;

/** What nobody refers to is closed one day, and its lock with it. */
const held = new Set<SqliteClient>();

/**
 * Throws a ConfigError if another service has the lock, and still has it two seconds later: it may be ending. Returns
 * what gives the lock back.
 */
export function lockForService(database: string): () => void {
  const unlock = lockIfFree(database);
  if (unlock) return unlock;
  const taken = `another service uses ${basename(database)} there; stop it, or choose another folder`;
  throw new ConfigError("DATA_DIR", dirname(database), "must be a folder that no other service uses", taken);
}

/** The same, but undefined if another has the lock. The database itself needn't be there, its folder must. */
export function lockIfFree(database: string): (() => void) | undefined {
  requireFolderOf(database);
  requireWritableFolderOf(database);
  const isNew = !existsSync(lockFileOf(database));
  try {
    const lock = take(lockFileOf(database));
    held.add(lock);
    if (isNew) outlastEarlierHolder(database);
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

/**
 * A service whose lock file was deleted goes on until it notices. While another process has the database open, it may be
 * that one; a tool is waited for in vain, and not for long.
 */
function outlastEarlierHolder(database: string): void {
  const endMs = performance.now() + noticedWithinMs;
  while (isOpenElsewhere(database) && performance.now() < endMs) Bun.sleepSync(lookAgainMs);
}

function isOpenElsewhere(database: string): boolean {
  if (!existsSync(database)) return false;
  let client: SqliteClient | undefined;
  try {
    client = connect(database, "write", 0);
    // Any other connection to the write-ahead log is in the way of this.
    client.pragma("locking_mode = EXCLUSIVE");
    client.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch (error) {
    // What else is wrong with it is told when it is opened.
    return sqliteFailure(error) === "passing";
  } finally {
    client?.close();
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
