/**
 * Determines the kind of a SQLite file, and whether it has every migration.
 *
 * SQLite keeps two numbers for this use in a file's header: `user_version` counts the migrations, `application_id`
 * distinguishes a catalog from a replica's orders. So the files hold the tables of the design and no others.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { advice } from "@stock-bazaar/process/advice";
import type { SqliteClient } from "./connection.ts";
import { DatabaseError } from "./database-error.ts";
import { applicationIds, type DatabaseKind } from "./kind.ts";

/** The folder of a database's migrations, newest last; `meta/` in it belongs to drizzle-kit. */
export function migrationsFolder(kind: DatabaseKind): string {
  return join(import.meta.dirname, "../..", "migrations", kind);
}

/** The number of migrations that this program has. */
function newestVersion(kind: DatabaseKind): number {
  const journal = readFileSync(join(migrationsFolder(kind), "meta", "_journal.json"), "utf8");
  return (JSON.parse(journal) as { entries: unknown[] }).entries.length;
}

/** Throws a DatabaseError unless the database is of this kind and has exactly the migrations that the program has. */
export function requireMigrated(client: SqliteClient, kind: DatabaseKind): void {
  const newest = newestVersion(kind);
  const done = readVersion(client, kind, newest);
  if (done < newest) {
    const state = done === 0 ? "is not migrated" : `has ${done} of ${newest} migrations`;
    throw new DatabaseError("not-migrated", client.name, `${state}: ${advice.migrate}`);
  }
  if (kind === "catalog" && client.prepare("SELECT 1 FROM register").get() === undefined) {
    throw new DatabaseError("not-migrated", client.name, `has no row in its table register: ${advice.migrate}`);
  }
}

/** The number of migrations that the database has; 0 for an empty file. */
export function readVersion(client: SqliteClient, kind: DatabaseKind, newest: number): number {
  const version = Number(client.pragma("user_version", { simple: true }));
  const applicationId = Number(client.pragma("application_id", { simple: true }));
  const isEmpty = client.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isEmpty && version === 0) return 0;
  if (applicationId !== applicationIds[kind]) {
    const expected = kind === "catalog" ? "the catalog's database" : "an order replica's database";
    const next = kind === "catalog" ? advice.replaceForeignCatalog : advice.replaceForeignReplica;
    throw new DatabaseError("wrong-kind", client.name, `is not ${expected}: ${next}`);
  }
  if (version > newest) {
    const text = `was migrated by a newer version of this program (${version} migrations, this one has ${newest}): update the program`;
    throw new DatabaseError("too-new", client.name, text);
  }
  return version;
}
