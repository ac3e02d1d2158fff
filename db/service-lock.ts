/**
 * One service for each database. Two catalogs on one file would each think that every cache hears from it, and two
 * replicas would take each other's next row. So a service holds a lock for as long as it lives: SQLite's own, on an empty
 * file beside the database, which the system takes back however the process ends. Tools look into the database meanwhile.
 */

import { basename, dirname } from "node:path";
import { ConfigError } from "@stock-bazaar/shared/config";
import { connect, type SqliteClient } from "./connection.ts";
import { requireFolderOf, requireWritableFolderOf } from "./files.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

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
  throw new ConfigError("DATA_DIR", dirname(database), taken);
}

/** The same, but undefined if another has the lock. The database itself needn't be there, its folder must. */
export function lockIfFree(database: string): (() => void) | undefined {
  requireFolderOf(database);
  requireWritableFolderOf(database);
  try {
    const lock = take(`${database}-lock`);
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
  const lock = connect(file, "write");
  try {
    // There is nothing to roll back, so no file for it either.
    lock.pragma("journal_mode = MEMORY");
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}
