/**
 * Opens the databases of services and tools.
 *
 * No service starts on a file that is missing, foreign or half migrated: it ends with a message that names the command
 * to run.
 */

import { existsSync } from "node:fs";
import { advice } from "@stock-bazaar/process/advice";
import {
  type AccessMode,
  connect,
  explaining,
  type SqliteClient,
  type Synchronous,
  setUpForWriting,
} from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { requireFolderOf, requireWritableDatabase, requireWritableFolderOf } from "./files.ts";
import type { DatabaseKind } from "./kind.ts";
import { requireMigrated } from "./schema-version.ts";

export interface OpenDatabase<Kind extends DatabaseKind> {
  readonly kind: Kind;
  readonly client: SqliteClient;
  /** Writes the WAL back if this was the last connection. Safe to call twice. */
  close(): void;
}

export function opened<Kind extends DatabaseKind>(kind: Kind, client: SqliteClient): OpenDatabase<Kind> {
  return { kind, client, close: () => void client.close() };
}

/** Throws a DatabaseError that names the command to run, unless the file is there and migrated. */
export function openDatabase<Kind extends DatabaseKind>(
  kind: Kind,
  file: string,
  mode: AccessMode = "write",
  synchronous: Synchronous = "FULL",
): OpenDatabase<Kind> {
  requireDatabase(kind, file);
  if (mode === "write") {
    requireWritableFolderOf(file);
    requireWritableDatabase(file);
  }
  return explaining(file, kind, () => {
    const client = connect(file, mode);
    try {
      requireMigrated(client, kind);
      // Only now: a refused foreign file must stay unchanged.
      if (mode === "write") setUpForWriting(client, synchronous);
      return opened(kind, client);
    } catch (error) {
      client.close();
      throw error;
    }
  });
}

/** Throws a DatabaseError that names the command to run, unless the file is there. */
export function requireDatabase(kind: DatabaseKind, file: string): void {
  requireFolderOf(file);
  if (existsSync(file)) return;
  const next = kind === "catalog" ? advice.migrateThenSeed : advice.migrate;
  throw new DatabaseError("missing", file, `does not exist: ${next}`);
}
