/**
 * Connects to SQLite files, and is the only place that knows better-sqlite3. Every connection that writes has the
 * settings that a promise of durability rests on, and whatever goes wrong with a file is told with its name and the
 * command that mends it.
 */

import Sqlite from "better-sqlite3";
import { advice } from "@stock-bazaar/process/advice";
import { DatabaseError } from "./database-error.ts";
import type { DatabaseKind } from "./kind.ts";
import { lockHolder } from "./lock-holder.ts";

/** The connection itself. Calls are synchronous: never `await` inside a transaction. */
export type SqliteClient = Sqlite.Database;

/** `read` never writes, and never waits for a writer nor makes one wait: for tools beside running services. */
export type AccessMode = "write" | "read";

/** How long a tool, or a service that starts, waits for a lock. It blocks the whole process: a service that serves never does. */
const busyTimeoutMs = 2000;
/** 16 MiB of WAL between two checkpoints, each of which costs two fsyncs more. */
const checkpointPages = 4000;
/** What a long reader made the WAL grow to is given back to the disk down to this. */
const walBytesKept = 64 * 1024 * 1024;
/** An upper bound, taken as needed. New rows go to the end of every tree, so little of it stays in use. */
const cacheKibibytes = 32 * 1024;

/** `file`: or the image of a database, to be opened in memory. `waitMs`: for a lock that another process holds. */
export function connect(file: string | Buffer, mode: AccessMode, waitMs: number = busyTimeoutMs): SqliteClient {
  const client = new Sqlite(file, { readonly: mode === "read", timeout: waitMs });
  try {
    client.pragma(`cache_size = -${cacheKibibytes}`);
    client.pragma("temp_store = MEMORY");
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

export function setUpForWriting(client: SqliteClient): void {
  client.pragma("journal_mode = WAL");
  // A commit returns when it is on the disk: what is acknowledged survives a power cut.
  client.pragma("synchronous = FULL");
  // macOS only, where a plain fsync stops at the cache of the drive.
  client.pragma("fullfsync = ON");
  client.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  client.pragma(`journal_size_limit = ${walBytesKept}`);
}

/** Stands after the name of a file. */
export const diskFull = "can't be written: its disk is full";

/** Whatever goes wrong with a file becomes a DatabaseError that names it. */
export function explaining<Result>(file: string, kind: DatabaseKind, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw explained(file, kind, error);
  }
}

export function explained(file: string, kind: DatabaseKind, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = error instanceof Sqlite.SqliteError ? error.code : "";
  if (code === "SQLITE_NOTADB") {
    return new DatabaseError("not-sqlite", file, `is not a SQLite database: ${adviceForLost(kind)}`, { cause: error });
  }
  if (code.startsWith("SQLITE_CORRUPT")) {
    return new DatabaseError("damaged", file, `is damaged: ${adviceForLost(kind)}`, { cause: error });
  }
  if (code.startsWith("SQLITE_BUSY")) {
    return new DatabaseError("unreadable", file, `is locked by ${lockHolder(file) ?? "another process"}`, {
      cause: error,
    });
  }
  if (code.startsWith("SQLITE_FULL")) {
    return new DatabaseError("unreadable", file, diskFull, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  // A reader meets it too: what readers share of the write-ahead log is a file that the first of them makes.
  const reason = code.startsWith("SQLITE_READONLY")
    ? `${message}; to read it takes write access to its folder, and to the -wal and -shm beside it, too`
    : message;
  return new DatabaseError("unreadable", file, `can't be used: ${reason}`, { cause: error });
}

/** A replica fills itself again from the leader, the catalog is made again from a replica. */
function adviceForLost(kind: DatabaseKind): string {
  return kind === "orders" ? advice.replaceReplica : advice.replaceCatalog;
}
