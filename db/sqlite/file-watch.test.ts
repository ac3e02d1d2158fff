import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { watchFile } from "./file-watch.ts";
import { migrateFile } from "./migrations.ts";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { lockForService } from "./service-lock.ts";

let file: string;
let clock: ManualClock;
let gone: string[];

beforeEach(() => {
  file = join(temporaryFolder(), "order-1.db");
  writeFileSync(file, "orders");
  clock = new ManualClock();
  gone = [];
});

/** Makes the file a database and reads it, as a service does. */
function openSqlite() {
  rmSync(file);
  migrateFile(file, "orders");
  return openOrderDatabase(dirname(file), 1);
}

const watch = () => watchFile(file, clock, ({ message }) => gone.push(message));

test("a file that grows, or is moved away and back between two checks, counts as unchanged", async () => {
  watch();
  writeFileSync(file, "more orders");
  renameSync(file, `${file}.away`);
  renameSync(`${file}.away`, file);
  await clock.advance(10_000);
  expect(gone).toEqual([]);
});

test("a deleted file is noticed within a second, and reported once", async () => {
  watch();
  await clock.advance(5000);
  rmSync(file);
  await clock.advance(1000);
  expect(gone).toEqual([`${file} was deleted while it was open: what was written since is lost`]);
  await clock.advance(10_000);
  expect(gone).toHaveLength(1);
});

test("so is its log, which holds the newest writes", async () => {
  const database = openSqlite();
  watch();
  await clock.advance(5000);
  expect(gone).toEqual([]);
  rmSync(`${file}-wal`);
  await clock.advance(1000);
  expect(gone).toEqual([`${file}-wal was deleted while it was open: what was written since is lost`]);
  database.close();
});

test.each(["deleted", "replaced"] as const)(
  "so is its lock when it is %s: another service could take one",
  async (how) => {
    const unlock = lockForService(file);
    watch();
    await clock.advance(5000);
    expect(gone).toEqual([]);
    rmSync(`${file}-lock`);
    if (how === "replaced") writeFileSync(`${file}-lock`, "");
    await clock.advance(1000);
    expect(gone).toEqual([
      `${file}-lock was ${how} while this service held it: another one could use order-1.db at the same time`,
    ]);
    unlock();
  },
);

test("another file under its name is noticed, even with the same content", async () => {
  watch();
  writeFileSync(`${file}.copy`, "orders");
  renameSync(`${file}.copy`, file);
  await clock.advance(1000);
  expect(gone).toEqual([`${file} was replaced while it was open: what was written since is lost`]);
});

test("the log is watched beside the target of a link", async () => {
  const database = openSqlite();
  const link = join(temporaryFolder(), "order-1.db");
  symlinkSync(file, link);
  watchFile(link, clock, ({ message }) => gone.push(message));
  rmSync(`${file}-wal`);
  await clock.advance(1000);
  expect(gone).toEqual([`${file}-wal was deleted while it was open: what was written since is lost`]);
  database.close();
});

test("a watch that has ended reports nothing", async () => {
  const end = watch();
  await clock.advance(2500);
  end();
  rmSync(file);
  await clock.advance(10_000);
  expect(gone).toEqual([]);
});
