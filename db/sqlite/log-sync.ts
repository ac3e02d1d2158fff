/** Syncs the write-ahead log of an open database without blocking the process. */

import { closeSync, fsync, openSync } from "node:fs";
import { promisify } from "node:util";
import { DatabaseError } from "./database-error.ts";
import { realFile } from "./files.ts";

export interface LogSync {
  /** Resolves when everything that was committed before the call is on the disk. Rejects with a DatabaseError. */
  sync(): Promise<void>;
  /** To be called before the database is closed, and when no sync is under way. */
  close(): void;
}

/**
 * The database must be open, and its log must exist: it does after the first write.
 *
 * Opens the log alone. A process that closes any descriptor of the database file, even one that it only read, loses all
 * its locks on that file (POSIX), and SQLite would not notice. On the log it holds none. SQLite syncs the rest itself:
 * the log and the database at a checkpoint, and the name of a new log at its first write.
 */
export function openLogSync(
  database: string,
  fsyncOf: (descriptor: number) => Promise<void> = promisify(fsync),
): LogSync {
  const log = `${realFile(database)}-wal`;
  const descriptor = openSync(log, "r");
  return {
    async sync() {
      try {
        await fsyncOf(descriptor);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new DatabaseError("unreadable", log, `can't be synced to its disk: ${reason}`, { cause: error });
      }
    },
    close: () => closeSync(descriptor),
  };
}
