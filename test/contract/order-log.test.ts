import { connect } from "@stock-bazaar/sqlite/connection";
import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { openOrdersInMemory } from "../support/in-memory.ts";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { createSqliteOrderLog } from "@stock-bazaar/order-log/sqlite/sqlite-order-log";
import { expect, test } from "vitest";
import { ordersOf } from "../support/builders.ts";
import { damageTable } from "../support/damage.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { observe, rejectionCode } from "../support/observe.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { orderLogContract } from "./order-log.ts";

orderLogContract("in SQLite, in memory", { survives: false }, async () => ({
  log: createSqliteOrderLog(openOrdersInMemory()),
}));

orderLogContract("in SQLite, in a file", { survives: true }, async () => {
  const folder = temporaryFolder();
  migrateFile(orderFile(folder, 1), "orders");
  return {
    log: createSqliteOrderLog(openOrderDatabase(folder, 1)),
    reopen: async () => createSqliteOrderLog(openOrderDatabase(folder, 1)),
  };
});

test("a read of a damaged page fails with STORAGE_UNAVAILABLE, and the replica receives an error that names the file", async () => {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const log = createSqliteOrderLog(openOrderDatabase(folder, 1));
  await log.append(ordersOf(1, 2000));
  await log.close();
  damageTable(file, "orders", "in the middle");

  const errors: unknown[] = [];
  const damaged = createSqliteOrderLog(openOrderDatabase(folder, 1), (error) => errors.push(error));
  expect(await rejectionCode(damaged.after(0, 2000))).toBe("STORAGE_UNAVAILABLE");
  expect(errors).toEqual([expect.objectContaining({ problem: "damaged", file })]);
  expect((await damaged.get(2000))?.id).toBe(2000);
  expect(await rejectionCode(damaged.newest(0, 2000))).toBe("STORAGE_UNAVAILABLE");
  const unread = Array.from({ length: 2000 }, (_, index) => damaged.get(index + 1).catch(() => undefined));
  const lost = (await Promise.all(unread)).findIndex((order) => order === undefined) + 1;
  expect(await rejectionCode(damaged.get(lost))).toBe("STORAGE_UNAVAILABLE");
  expect(new Set(errors.map((error) => (error as { problem?: string }).problem))).toEqual(new Set(["damaged"]));
  await damaged.close();

  damageTable(file, "orders", "at the end");
  expect(() => createSqliteOrderLog(openOrderDatabase(folder, 1))).toThrow(`${file} is damaged: move it elsewhere`);
});

test("an append waits for another process's lock without blocking, and reports a lasting lock with the file's name", async () => {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const clock = new ManualClock();
  const log = createSqliteOrderLog(openOrderDatabase(folder, 1), () => {}, { clock, patienceMs: 500 });
  const other = connect(file, "write");
  other.exec("BEGIN IMMEDIATE");
  const begunMs = performance.now();
  const appended = observe(log.append(ordersOf(1, 2)));
  expect(performance.now() - begunMs).toBeLessThan(1000);
  await clock.advance(200);
  expect([appended.state, log.lastId]).toEqual(["pending", 0]);
  other.exec("ROLLBACK");
  await clock.advance(50);
  expect([appended.state, log.lastId]).toEqual(["resolved", 2]);

  other.exec("BEGIN IMMEDIATE");
  const failed = log.append(ordersOf(3, 3)).catch((error: unknown) => String(error));
  await clock.advance(600);
  expect(await failed).toContain(`${file} is locked by `);
  other.close();
  await log.close();
});
