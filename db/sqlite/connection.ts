/**
 * Connects to SQLite files: the only module that imports better-sqlite3.
 *
 * Every connection that writes has the settings on which durability depends. Every error names its file and, where
 * there is one, the command that repairs it.
 */

import Sqlite from "better-sqlite3";
import { advice } from "@stock-bazaar/process/advice";
import { DatabaseError } from "./database-error.ts";
import { isDiskFull } from "./disk-room.ts";
import { sqliteCode } from "./failures.ts";
import type { DatabaseKind } from "./kind.ts";
import { lockHolder } from "./lock-holder.ts";

/** The connection itself. Calls are synchronous: never `await` inside a transaction. */
export type SqliteClient = Sqlite.Database;

/** `read` never writes, never waits for a writer and never blocks one: for tools beside running services. */
export type AccessMode = "write" | "read";

/**
 * How long a tool or a starting service waits for a lock. The wait blocks the whole process, so a service that serves
 * never waits.
 */
const busyTimeoutMs = 2000;
/** 16 MiB of WAL between two checkpoints; each costs two more fsyncs. */
const checkpointPages = 4000;
/** A WAL that grew during a long read is truncated to this size. */
const walBytesKept = 64 * 1024 * 1024;
/** An upper bound, allocated as needed. New rows go to the end of every tree, so little of it stays in use. */
const cacheKibibytes = 32 * 1024;

/** Opens a file, or the image of a database in memory. `waitMs` bounds the wait for another process's lock. */
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

/**
 * `FULL`: a commit returns when it is on the disk, so what is acknowledged survives a power cut. `NORMAL`: a commit
 * survives the death of every process; after a power cut the file ends at an earlier commit.
 */
export type Synchronous = "FULL" | "NORMAL";

export function setUpForWriting(client: SqliteClient, synchronous: Synchronous = "FULL"): void {
  client.pragma("journal_mode = WAL");
  client.pragma(`synchronous = ${synchronous}`);
  // macOS only: there a plain fsync stops at the drive's cache.
  client.pragma("fullfsync = ON");
  client.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  client.pragma(`journal_size_limit = ${walBytesKept}`);
}

/** Runs a write that is on the disk when it returns, with every commit before it, whatever the connection's setting. */
export function durably(client: SqliteClient, write: () => void): void {
  const setting = Number(client.pragma("synchronous", { simple: true }));
  client.pragma("synchronous = FULL");
  try {
    write();
  } finally {
    client.pragma(`synchronous = ${setting}`);
  }
}

/** Follows the name of a file. */
export const diskFull = "can't be written: its disk is full";

/** Runs `action`; its error becomes a DatabaseError that names the file. */
export function explaining<Result>(file: string, kind: DatabaseKind, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw explained(file, kind, error);
  }
}

export function explained(file: string, kind: DatabaseKind, error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = sqliteCode(error);
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
  if (isDiskFull(file, code)) return new DatabaseError("disk-full", file, diskFull, { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  // Readers get it too: the first one creates the -shm file that all users of the write-ahead log share.
  const reason = code.startsWith("SQLITE_READONLY")
    ? `${message}; reading needs write access to its folder, and to the -wal and -shm files beside it`
    : message;
  return new DatabaseError("unreadable", file, `can't be used: ${reason}`, { cause: error });
}

/** A replica refills from the leader; the catalog is rebuilt from a replica. */
export function adviceForLost(kind: DatabaseKind): string {
  return kind === "orders" ? advice.replaceReplica : advice.replaceCatalog;
}
