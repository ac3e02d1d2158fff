/**
 * `npm run generate`: writes a migration for each database whose tables have changed, and makes SQLite's new tables STRICT.
 * Existing migrations stay as they are.
 *
 * `bun db/generate.ts NAME` gives the new migrations a name.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import type { DatabaseKind } from "@stock-bazaar/sqlite/kind";
import { migrationsFolder } from "@stock-bazaar/sqlite/schema-version";
import { makeTablesStrict } from "./strict.ts";

const repository = join(import.meta.dirname, "..");
const name = process.argv[2];

await runDrizzleKit("postgres");
for (const kind of ["catalog", "orders"] satisfies DatabaseKind[]) {
  const before = new Set(listMigrations(kind));
  await runDrizzleKit(kind);
  for (const file of listMigrations(kind).filter((entry) => !before.has(entry))) {
    const path = join(migrationsFolder(kind), file);
    writeFileSync(path, makeTablesStrict(readFileSync(path, "utf8")));
  }
}

function listMigrations(kind: DatabaseKind): string[] {
  const folder = migrationsFolder(kind);
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".sql")) : [];
}

/** drizzle-kit asks on the terminal when a column may be renamed or new. */
async function runDrizzleKit(kind: DatabaseKind | "postgres"): Promise<void> {
  const options = name === undefined ? [] : ["--name", name];
  const child = Bun.spawn(bunCommand("--bun", "run", "drizzle-kit", "generate", ...options), {
    cwd: repository,
    env: { ...process.env, BAZAAR_DATABASE: kind },
    stdio: ["inherit", "inherit", "inherit"],
  });
  const exitCode = await child.exited;
  if (exitCode !== 0) process.exit(exitCode);
}
