import { migrateFile } from "@stock-bazaar/sqlite/migrations";
import { connect } from "@stock-bazaar/sqlite/connection";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openOrderDatabase, orderFile } from "./database.ts";
import { KeptMark, readMark } from "./kept-mark.ts";

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
  migrateFile(orderFile(folder, 1), "orders");
});

function start(bootId: string, { waitsForDisk = false } = {}) {
  const database = openOrderDatabase(folder, 1, "write", waitsForDisk ? "FULL" : "NORMAL");
  onTestFinished(() => database.close());
  const mark = new KeptMark(database, { bootId, waitsForDisk });
  return { mark, stored: () => readMark(database.client), client: database.client };
}

test("a new file is whole only once it has caught up: it may stand in for one that was lost", () => {
  const { mark, stored } = start("boot-1");
  expect(mark.isWhole).toBe(false);
  expect(stored()).toEqual({ bootId: "", synced: false });
  mark.ended();
  expect(stored()).toEqual({ bootId: "", synced: false });
  expect(mark.caughtUp()).toBe(true);
  expect(mark.isWhole).toBe(true);
  expect(stored()).toEqual({ bootId: "boot-1", synced: false });
});

test("a clean end is marked, and the mark is cleared when the file is used again", () => {
  const first = start("boot-1");
  first.mark.caughtUp();
  first.mark.ended();
  expect(first.stored()).toEqual({ bootId: "boot-1", synced: true });
  const second = start("boot-2");
  expect(second.mark.isWhole).toBe(true);
  expect(second.stored()).toEqual({ bootId: "boot-2", synced: false });
});

test("a killed replica stays whole until its machine starts again", () => {
  start("boot-1").mark.caughtUp();
  expect(start("boot-1").mark.isWhole).toBe(true);
  const { mark, stored } = start("boot-2");
  expect(mark.isWhole).toBe(false);
  expect(stored()).toEqual({ bootId: "", synced: false });
  // Not even on its first start does the machine make it whole again.
  expect(start("boot-1").mark.isWhole).toBe(false);
});

test("where commits wait for the disk, a whole file is always synced", () => {
  const first = start("boot-1", { waitsForDisk: true });
  first.mark.caughtUp();
  expect(first.stored()).toEqual({ bootId: "boot-1", synced: true });
  expect(start("boot-2", { waitsForDisk: true }).mark.isWhole).toBe(true);
  expect(start("boot-3").stored()).toEqual({ bootId: "boot-3", synced: false });
});

test("without a boot id only a clean end is trusted", () => {
  const first = start("");
  first.mark.caughtUp();
  first.mark.ended();
  expect(start("").mark.isWhole).toBe(true);
  expect(start("").mark.isWhole).toBe(false);
});

test("a mark can't be written while another process has locked the file, and a missing row counts as lacking", () => {
  const { mark, stored, client } = start("boot-1");
  const other = connect(orderFile(folder, 1), "write");
  onTestFinished(() => void other.close());
  other.exec("BEGIN IMMEDIATE");
  client.pragma("busy_timeout = 0");
  expect(mark.caughtUp()).toBe(false);
  expect(mark.isWhole).toBe(false);
  other.exec("DELETE FROM replica; COMMIT");
  expect(stored()).toEqual({ bootId: "", synced: false });
  expect(mark.caughtUp()).toBe(true);
  expect(stored()).toEqual({ bootId: "boot-1", synced: false });
  other.exec("BEGIN IMMEDIATE");
  mark.ended();
  expect(stored()).toEqual({ bootId: "boot-1", synced: false });
});
