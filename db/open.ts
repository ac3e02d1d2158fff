/**
 * Opens the SQLite files, and is the only place that knows better-sqlite3. Every connection that writes has the
 * settings that a promise of durability rests on, and no service starts on a file that is missing, foreign or half
 * migrated: it stops with a message that names the command which mends it.
 *
 * Calls are synchronous: never `await` inside a transaction.
 */

import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite from "better-sqlite3";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import * as catalogTables from "./catalog-tables.ts";
import { DatabaseError } from "./database-error.ts";
import { putLeftoversAside } from "./files.ts";
import { applyMigrations, type DatabaseKind, requireMigrated } from "./migrations.ts";
import * as orderTables from "./order-tables.ts";

/** The connection itself, for hot prepared statements. */
export type SqliteClient = Sqlite.Database;

export interface OpenDatabase<Schema extends Record<string, unknown>> {
  readonly db: BetterSQLite3Database<Schema>;
  readonly client: SqliteClient;
  /** Writes the WAL back if this was the last connection. Safe to call twice. */
  close(): void;
}

export type CatalogDatabase = OpenDatabase<typeof catalogTables>;
export type OrderDatabase = OpenDatabase<typeof orderTables>;

/** `read` never writes, and never waits for a writer nor makes one wait: for tools beside running services. */
export type AccessMode = "write" | "read";

/** A wait blocks the whole process, so it ends before one gRPC call does (RPC_TIMEOUT_MS). Services share no file. */
const busyTimeoutMs = 2000;
/** 16 MiB of WAL between two checkpoints, each of which costs two fsyncs more. */
const checkpointPages = 4000;
/** What a long reader made the WAL grow to is given back to the disk down to this. */
const walBytesKept = 64 * 1024 * 1024;
/** An upper bound, taken as needed. New rows go to the end of every tree, so little of it stays in use. */
const cacheKibibytes = 32 * 1024;

export function catalogFile(dataDir: string): string {
  return join(dataDir, "catalog.db");
}

export function orderFile(dataDir: string, replicaId: number): string {
  return join(dataDir, `order-${replicaId}.db`);
}

/** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
export function openCatalogDatabase(dataDir: string, mode: AccessMode = "write"): CatalogDatabase {
  const client = openMigrated(catalogFile(dataDir), "catalog", mode);
  return wrap(client, drizzle(client, { schema: catalogTables }));
}

/** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
export function openOrderDatabase(dataDir: string, replicaId: number, mode: AccessMode = "write"): OrderDatabase {
  const client = openMigrated(orderFile(dataDir, replicaId), "orders", mode);
  return wrap(client, drizzle(client, { schema: orderTables }));
}

/** A migrated catalog without stocks that is gone when it is closed: for tests. */
export function openCatalogInMemory(): CatalogDatabase {
  const client = openMemory("catalog");
  return wrap(client, drizzle(client, { schema: catalogTables }));
}

/** A migrated, empty replica that is gone when it is closed: for tests. */
export function openOrdersInMemory(): OrderDatabase {
  const client = openMemory("orders");
  return wrap(client, drizzle(client, { schema: orderTables }));
}

/** Creates the file and its folder if they aren't there. Returns how many migrations it missed and has now. */
export function migrateFile(file: string, kind: DatabaseKind): number {
  return explaining(file, kind, () => {
    mkdirSync(dirname(file), { recursive: true });
    putLeftoversAside(file);
    const client = connect(file, "write");
    try {
      const migrations = applyMigrations(client, kind);
      setUpForWriting(client);
      return migrations;
    } finally {
      client.close();
    }
  });
}

function openMigrated(file: string, kind: DatabaseKind, mode: AccessMode): SqliteClient {
  if (!existsSync(file)) {
    const commands = kind === "catalog" ? "`npm run migrate`, then `npm run seed`" : "`npm run migrate`";
    throw new DatabaseError("missing", file, `does not exist: run ${commands}`);
  }
  return explaining(file, kind, () => {
    const client = connect(file, mode);
    try {
      requireMigrated(client, kind);
      // Only now: a foreign file is refused as it is.
      if (mode === "write") setUpForWriting(client);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  });
}

function openMemory(kind: DatabaseKind): SqliteClient {
  const client = connect(":memory:", "write");
  applyMigrations(client, kind);
  return client;
}

function connect(file: string, mode: AccessMode): SqliteClient {
  const client = new Sqlite(file, { readonly: mode === "read", timeout: busyTimeoutMs });
  client.pragma(`cache_size = -${cacheKibibytes}`);
  client.pragma("temp_store = MEMORY");
  return client;
}

function setUpForWriting(client: SqliteClient): void {
  client.pragma("journal_mode = WAL");
  // A commit returns when it is on the disk: what is acknowledged survives a power cut.
  client.pragma("synchronous = FULL");
  // macOS only, where a plain fsync stops at the cache of the drive.
  client.pragma("fullfsync = ON");
  client.pragma(`wal_autocheckpoint = ${checkpointPages}`);
  client.pragma(`journal_size_limit = ${walBytesKept}`);
}

/** Whatever goes wrong with a file becomes a DatabaseError that names it. */
function explaining<Result>(file: string, kind: DatabaseKind, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    const code = error instanceof Sqlite.SqliteError ? error.code : "";
    if (code === "SQLITE_NOTADB") {
      throw new DatabaseError("not-sqlite", file, `is not a SQLite database: ${adviceForLost(kind)}`, { cause: error });
    }
    if (code.startsWith("SQLITE_CORRUPT")) {
      throw new DatabaseError("damaged", file, `is damaged: ${adviceForLost(kind)}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseError("unreadable", file, `can't be used: ${reason}`, { cause: error });
  }
}

/** A replica fills itself again from the leader, the catalog is made again from a replica. */
function adviceForLost(kind: DatabaseKind): string {
  return kind === "orders"
    ? "move it elsewhere, then run `npm run migrate` (the replica fetches its orders again)"
    : "run `npm run rebuild-catalog`, which moves it aside and makes it again from a replica's orders";
}

function wrap<Schema extends Record<string, unknown>>(
  client: SqliteClient,
  db: BetterSQLite3Database<Schema>,
): OpenDatabase<Schema> {
  return { db, client, close: () => void client.close() };
}
