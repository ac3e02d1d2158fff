/**
 * Allows only one service for each database.
 *
 * Two catalogs on one file would each assume that all caches are connected to it, and two replicas would each take the
 * other's next row. So a service holds a lock for as long as it lives: SQLite's own, on an empty file beside the
 * database. The system releases it however the process ends. Tools can use the database meanwhile. While the lock is
 * held, `file-watch.ts` checks that its file still has its name.
 */

import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ConfigError } from "@stock-bazaar/process/environment";
import { SetupError } from "@stock-bazaar/shared/errors";
import { connect, explained, type SqliteClient } from "./connection.ts";
import { lockFileOf, requireFolderOf, requireWritableFile, requireWritableFolderOf } from "./files.ts";
import { lookEveryMs } from "./file-watch.ts";
import { sqliteFailure } from "./failures.ts";
import { lockHolder } from "./lock-holder.ts";

/** A service ends within this time after its lock file is gone. */
const noticedWithinMs = lookEveryMs + 500;
const lookAgainMs = 50;

/**
 * Keeps a reference to each lock: without one, the garbage collector would close the connection and release the lock.
 */
const held = new Set<SqliteClient>();

/**
 * Takes the lock of a database. Returns a function that releases it.
 *
 * Throws a ConfigError if another service has the lock, and still has it two seconds later: it may be ending.
 */
export function lockForService(database: string): () => void {
  const unlock = lockIfFree(database);
  if (unlock) return unlock;
  const holder = lockHolder(lockFileOf(database));
  const who = holder === undefined ? "" : `, ${holder}`;
  const taken = `another service uses ${basename(database)} there${who}; stop it, or choose another folder`;
  throw new ConfigError("DATA_DIR", dirname(database), "must be a folder that no other service uses", taken);
}

/**
 * The same, but returns `undefined` if another service has the lock. The folder of the database must exist, the
 * database needn't.
 */
export function lockIfFree(database: string): (() => void) | undefined {
  requireFolderOf(database);
  requireWritableFolderOf(database);
  const isNew = !existsSync(lockFileOf(database));
  try {
    const lock = take(lockFileOf(database));
    if (isNew) outlastEarlierHolder(database);
    // A service that opened the file by a hard link holds another lock.
    if (hasOtherName(database) && isOpenElsewhere(database)) {
      lock.close();
      return undefined;
    }
    held.add(lock);
    return () => {
      held.delete(lock);
      lock.close();
    };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const lockFile = lockFileOf(database);
    const problem = explained(lockFile, "orders", error);
    switch (problem.problem) {
      case "not-sqlite":
      case "damaged":
        throw new SetupError(
          `${lockFile} must be an empty file (it isn't): delete it while no service uses the database`,
        );
      case "unreadable":
        if (sqliteFailure(error) === "passing") return undefined;
        break;
      default:
    }
    throw problem;
  }
}

function take(file: string): SqliteClient {
  requireWritableFile(file);
  const lock = connect(file, "write");
  try {
    // There is nothing to roll back, so no journal file is needed.
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
 * Waits for a service whose lock file was deleted: it runs until it notices.
 *
 * Any other process that has the database open may be that service. If it is a tool, the wait is in vain, and short.
 */
function outlastEarlierHolder(database: string): void {
  const endMs = performance.now() + noticedWithinMs;
  while (isOpenElsewhere(database) && performance.now() < endMs) Bun.sleepSync(lookAgainMs);
}

function hasOtherName(database: string): boolean {
  return (statSync(database, { throwIfNoEntry: false })?.nlink ?? 0) > 1;
}

function isOpenElsewhere(database: string): boolean {
  if (!existsSync(database)) return false;
  let client: SqliteClient | undefined;
  try {
    client = connect(database, "write", 0);
    // Any other connection to the write-ahead log makes this fail.
    client.pragma("locking_mode = EXCLUSIVE");
    client.exec("BEGIN EXCLUSIVE; ROLLBACK");
    return false;
  } catch (error) {
    // Other errors are reported when the database is opened.
    return sqliteFailure(error) === "passing";
  } finally {
    client?.close();
  }
}

/** Checks that the lock is held: SQLite takes no lock on a file that it can't write, and reports no error. */
function requireHeld(file: string, lock: SqliteClient): void {
  const wrong = (was: string) => new SetupError(`${file} must be a file that this user can write and lock (${was})`);
  try {
    // Never committed: a write needs the very lock that must be held.
    lock.pragma("user_version = 1");
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  // A second lock under this name must be refused, unless the name is now that of another file.
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
