/**
 * Creates databases and brings them up to date with the generated migrations.
 *
 * drizzle's own migrator reads the state before its transaction begins. Two migrators at once, or a kill at the wrong
 * moment, could leave a database that neither works nor migrates. Here everything is one write transaction: it happens
 * as a whole or not at all.
 */

import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { connect, explaining, type SqliteClient, setUpForWriting } from "./connection.ts";
import { makeFolderOf, putLeftoversAside, requireWritableDatabase } from "./files.ts";
import { applicationIds, type DatabaseKind } from "./kind.ts";
import { migrationsFolder, readVersion } from "./schema-version.ts";

const knownMigrations = new Map<DatabaseKind, readonly MigrationMeta[]>();

/** Migrates a file; creates it and its folder if they don't exist. Returns how many migrations were missing. */
export function migrateFile(file: string, kind: DatabaseKind): number {
  makeFolderOf(file);
  requireWritableDatabase(file);
  return explaining(file, kind, () => {
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

/** Applies the missing migrations in one transaction, and returns their number. */
export function applyMigrations(client: SqliteClient, kind: DatabaseKind): number {
  const migrations = readMigrations(kind);
  const apply = client.transaction(() => {
    const done = readVersion(client, kind, migrations.length);
    const missing = migrations.slice(done);
    for (const migration of missing) {
      for (const statement of migration.sql) client.exec(statement);
    }
    if (kind === "catalog") {
      client.exec("INSERT INTO register (term, leader, head) SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM register)");
      client.prepare("UPDATE register SET life = ? WHERE life = ''").run(crypto.randomUUID());
    }
    if (missing.length > 0) {
      client.pragma(`application_id = ${applicationIds[kind]}`);
      client.pragma(`user_version = ${migrations.length}`);
    }
    return missing.length;
  });
  // Immediate: takes the write lock before it reads, so a second migration waits and then finds nothing to do.
  return apply.immediate();
}

function readMigrations(kind: DatabaseKind): readonly MigrationMeta[] {
  const migrations = knownMigrations.get(kind) ?? readMigrationFiles({ migrationsFolder: migrationsFolder(kind) });
  knownMigrations.set(kind, migrations);
  return migrations;
}
