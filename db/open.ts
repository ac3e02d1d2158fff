/**
 * Opens the databases of services and tools. No service starts on a file that is missing, foreign or half migrated: it
 * stops with a message that names the command which mends it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AccessMode, connect, explaining, type SqliteClient, setUpForWriting } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { requireFolderOf, requireWritableDatabase, requireWritableFolderOf } from "./files.ts";
import { type DatabaseKind, requireMigrated } from "./schema-version.ts";

export interface OpenDatabase<Kind extends DatabaseKind> {
  readonly kind: Kind;
  readonly client: SqliteClient;
  /** Writes the WAL back if this was the last connection. Safe to call twice. */
  close(): void;
}

export type CatalogDatabase = OpenDatabase<"catalog">;
export type OrderDatabase = OpenDatabase<"orders">;

export function catalogFile(dataDir: string): string {
  return join(dataDir, "catalog.db");
}

export function orderFile(dataDir: string, replicaId: number): string {
  return join(dataDir, `order-${replicaId}.db`);
}

/** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
export function openCatalogDatabase(dataDir: string, mode: AccessMode = "write"): CatalogDatabase {
  return opened("catalog", openMigrated(catalogFile(dataDir), "catalog", mode));
}

/** Throws a DatabaseError, with the command that mends it, unless the file is there and migrated. */
export function openOrderDatabase(dataDir: string, replicaId: number, mode: AccessMode = "write"): OrderDatabase {
  return opened("orders", openMigrated(orderFile(dataDir, replicaId), "orders", mode));
}

export function opened<Kind extends DatabaseKind>(kind: Kind, client: SqliteClient): OpenDatabase<Kind> {
  return { kind, client, close: () => void client.close() };
}

function openMigrated(file: string, kind: DatabaseKind, mode: AccessMode): SqliteClient {
  requireFolderOf(file);
  if (!existsSync(file)) {
    const commands = kind === "catalog" ? "`npm run migrate`, then `npm run seed`" : "`npm run migrate`";
    throw new DatabaseError("missing", file, `does not exist: run ${commands}`);
  }
  if (mode === "write") {
    requireWritableFolderOf(file);
    requireWritableDatabase(file);
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
