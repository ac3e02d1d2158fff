import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { connect } from "./connection.ts";
import { lockHolder } from "./lock-holder.ts";
import { migrateFile } from "./migrations.ts";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { guardWrites } from "./guards.ts";

const patienceMs = 500;

/** A database with a service's guard on it, and another connection that holds its write lock. */
function lockedDatabase() {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const database = openOrderDatabase(folder, 1);
  const clock = new ManualClock();
  const broken: unknown[] = [];
  const guard = guardWrites(database, (error) => broken.push(error), { clock, patienceMs });
  const other = connect(file, "write");
  other.exec("BEGIN IMMEDIATE");
  const write = () => guard(() => database.client.exec("BEGIN IMMEDIATE; ROLLBACK"));
  return { file, clock, broken, other, database, guard, write };
}

test("a write waits for another's lock without blocking the process, and succeeds once it is released", async () => {
  const { clock, other, write } = lockedDatabase();
  const written = observe(write());
  await clock.advance(patienceMs / 2);
  expect(written.state).toBe("pending");
  other.exec("ROLLBACK");
  await clock.advance(50);
  expect(written.state).toBe("resolved");
  expect(clock.timers).toBe(0);
});

test("waiting writes run in the order of their calls, and so does one that is added then", async () => {
  const { clock, other, database, guard } = lockedDatabase();
  const done: string[] = [];
  const write = (name: string) =>
    guard(() => {
      database.client.exec("BEGIN IMMEDIATE; ROLLBACK");
      done.push(name);
    });
  const written = [observe(write("first"))];
  await clock.advance(100);
  written.push(observe(write("second")));
  other.exec("ROLLBACK");
  written.push(observe(write("third")));
  expect(done).toEqual([]);
  await clock.advance(100);
  expect(done).toEqual(["first", "second", "third"]);
  expect(written.map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved"]);
  void write("at once");
  expect(done.at(-1)).toBe("at once");
});

test("a lock that stays is reported with the name of the file, once the patience is over", async () => {
  const { file, clock, broken, write } = lockedDatabase();
  const code = rejectionCode(write());
  const message = write().catch((error: unknown) => (error instanceof Error ? error.message : ""));
  await clock.advance(patienceMs);
  expect(await code).toBe("STORAGE_UNAVAILABLE");
  expect(await message).toMatch(new RegExp(`^${RegExp.escape(file)} is locked by `));
  expect(broken).toEqual([]);
  expect(clock.timers).toBe(0);
});

test.skipIf(process.platform !== "linux")("the process that holds the lock is named", async (context) => {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const script = `
    const { connect } = await import(${JSON.stringify(`${import.meta.dirname}/connection.ts`)});
    const client = connect(process.argv.at(-1), "write");
    client.exec("BEGIN IMMEDIATE");
    console.log("locked");
    setInterval(() => client.open, 1000);`;
  const holder = Bun.spawn([process.execPath, "-e", script, file], { stdout: "pipe" });
  context.onTestFinished(() => holder.kill("SIGKILL"));
  await holder.stdout.getReader().read();
  expect(lockHolder(file)).toMatch(new RegExp(`^process ${holder.pid} \\(bun.*\\)$`));
});
