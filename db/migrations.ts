/**
 * Applies the generated migrations, and tells whether a database has them all. drizzle's own migrator reads what
 * is there before its transaction begins, so two of them at once, or a kill at the wrong moment, could leave a
 * database that neither works nor migrates. Here everything is one write transaction: it has happened or it hasn't.
 *
 * SQLite keeps two numbers for such use in the head of a file: `user_version` counts the migrations, `application_id`
 * tells a catalog from a replica's orders. So the files hold the tables of the design and no others.
 */

import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { DatabaseError } from "./database-error.ts";
import type { SqliteClient } from "./open.ts";

export type DatabaseKind = "catalog" | "orders";

/** `BazC` and `BazO` in ASCII. */
const applicationIds: Record<DatabaseKind, number> = { catalog: 0x42_61_7a_43, orders: 0x42_61_7a_4f };

/** Where the migrations of a database are, newest last; `meta/` beside them is drizzle-kit's. */
export function migrationsFolder(kind: DatabaseKind): string {
  return join(import.meta.dirname, "..", "migrations", kind);
}

/** Applies what is missing, in one transaction, and returns how many migrations that were. */
export function applyMigrations(client: SqliteClient, kind: DatabaseKind): number {
  const migrations = readMigrationFiles({ migrationsFolder: migrationsFolder(kind) });
  const apply = client.transaction(() => {
    const done = readVersion(client, kind, migrations.length);
    const missing = migrations.slice(done);
    for (const migration of missing) {
      for (const statement of migration.sql) client.exec(statement);
    }
    if (kind === "catalog") {
      client.exec("INSERT INTO register (term, leader, head) SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM register)");
    }
    if (missing.length > 0) {
      client.pragma(`application_id = ${applicationIds[kind]}`);
      client.pragma(`user_version = ${migrations.length}`);
    }
    return missing.length;
  });
  // Immediate: takes the write lock before it looks, so a second migration waits and then finds nothing to do.
  return apply.immediate();
}

/** Throws a DatabaseError unless the database is of this kind and has exactly the migrations that the program has. */
export function requireMigrated(client: SqliteClient, kind: DatabaseKind): void {
  const newest = readMigrationFiles({ migrationsFolder: migrationsFolder(kind) }).length;
  const done = readVersion(client, kind, newest);
  if (done < newest) {
    const state = done === 0 ? "is not migrated" : `has ${done} of ${newest} migrations`;
    throw new DatabaseError("not-migrated", client.name, `${state}: run \`npm run migrate\``);
  }
  if (kind === "catalog" && client.prepare("SELECT 1 FROM register").get() === undefined) {
    throw new DatabaseError("not-migrated", client.name, "has no row in its table register: run `npm run migrate`");
  }
}

/** How many of its migrations the database has; 0 for an empty file. */
function readVersion(client: SqliteClient, kind: DatabaseKind, newest: number): number {
  const version = Number(client.pragma("user_version", { simple: true }));
  const applicationId = Number(client.pragma("application_id", { simple: true }));
  const isEmpty = client.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isEmpty && version === 0) return 0;
  if (applicationId !== applicationIds[kind]) {
    const expected = kind === "catalog" ? "the catalog's database" : "an order replica's database";
    const text = `is not ${expected}: move it elsewhere, then run \`npm run migrate\``;
    throw new DatabaseError("wrong-kind", client.name, text);
  }
  if (version > newest) {
    const text = `was migrated by a newer version of this program (${version} migrations, this one knows ${newest}): update the program`;
    throw new DatabaseError("too-new", client.name, text);
  }
  return version;
}
