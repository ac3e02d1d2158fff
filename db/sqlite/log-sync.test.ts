import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { DatabaseError } from "./database-error.ts";
import { openLogSync } from "./log-sync.ts";
import { migrateFile } from "./migrations.ts";

function openReplica(folder: string) {
  const database = openOrderDatabase(folder, 1, "write", "NORMAL");
  onTestFinished(() => database.close());
  database.client.exec("UPDATE replica SET synced = 0");
  return database;
}

test("the log is synced, also beside the target of a link, and SQLite keeps its locks", async () => {
  const folder = temporaryFolder();
  const linked = temporaryFolder();
  migrateFile(orderFile(folder, 1), "orders");
  symlinkSync(orderFile(folder, 1), join(linked, "order-1.db"));
  const { client } = openReplica(linked);
  client.exec("BEGIN IMMEDIATE");
  const log = openLogSync(orderFile(linked, 1));
  await log.sync();
  log.close();
  // Another process still finds the file locked.
  const script = `const { Database } = require("bun:sqlite");
    try { new Database(process.argv.at(-1)).run("BEGIN IMMEDIATE"); console.log("free") } catch (error) { console.log(error.code) }`;
  const other = Bun.spawnSync([process.execPath, "-e", script, orderFile(folder, 1)]);
  expect(other.stdout.toString().trim()).toBe("SQLITE_BUSY");
  client.exec("ROLLBACK");
});

test("an error names the log", async () => {
  const folder = temporaryFolder();
  migrateFile(orderFile(folder, 1), "orders");
  openReplica(folder);
  const log = openLogSync(orderFile(folder, 1), async () => {
    throw new Error("EIO: i/o error, fsync");
  });
  onTestFinished(() => log.close());
  const error = await log.sync().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(DatabaseError);
  expect(String(error)).toContain(`${orderFile(folder, 1)}-wal can't be synced to its disk: EIO`);
});
