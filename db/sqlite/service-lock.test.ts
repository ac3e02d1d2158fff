import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { canRunUnprivileged, runUnprivileged } from "../../test/support/unprivileged.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { migrateFile } from "./migrations.ts";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { commandOf } from "./lock-holder.ts";
import { lockForService } from "./service-lock.ts";

const holder = `
  const { lockForService } = await import(${JSON.stringify(join(import.meta.dirname, "service-lock.ts"))});
  lockForService(process.argv.at(-1));
  console.log("locked");
  setInterval(() => {}, 1000);
`;

test("a second service on a database is refused, a tool isn't, and a killed service leaves no lock behind", async (context) => {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const first = Bun.spawn([process.execPath, "-e", holder, file], { stdout: "pipe" });
  context.onTestFinished(() => first.kill("SIGKILL"));
  const { value } = await first.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("locked\n");

  const who = process.platform === "linux" ? `, process ${first.pid} (${commandOf(first.pid)})` : "";
  expect(() => lockForService(file)).toThrow(
    `DATA_DIR must be a folder that no other service uses (got ${JSON.stringify(folder)}): another service uses order-1.db there${who}; stop it, or choose another folder`,
  );
  openOrderDatabase(folder, 1).close();

  first.kill("SIGKILL");
  await first.exited;
  lockForService(file)();
  lockForService(file)();
});

const lockOnce = `
  const { lockForService } = await import(${JSON.stringify(join(import.meta.dirname, "service-lock.ts"))});
  try {
    lockForService(process.argv.at(-1));
    console.log("locked");
  } catch (error) {
    console.log(error.name + ": " + error.message);
  }
`;

test.skipIf(!canRunUnprivileged)(
  "a lock file that can only be read is refused, as SQLite would lock nothing",
  async () => {
    const file = orderFile(temporaryFolder(), 1);
    migrateFile(file, "orders");
    writeFileSync(`${file}-lock`, "");
    chmodSync(dirname(file), 0o777);
    const lock = () => runUnprivileged([process.execPath, "-e", lockOnce, file]);
    chmodSync(`${file}-lock`, 0o444);
    expect((await lock()).stdout).toContain(
      `SetupError: ${file}-lock must be a file that this user can read and write (EACCES: permission denied`,
    );
    chmodSync(`${file}-lock`, 0o666);
    expect((await lock()).stdout).toBe("locked\n");
  },
);

test("a folder in place of the lock file is refused", () => {
  const file = orderFile(temporaryFolder(), 1);
  mkdirSync(`${file}-lock`);
  expect(() => lockForService(file)).toThrow(
    `${file}-lock must be a file that this user can read and write (it is a folder)`,
  );
});

test("two names of one database have one lock", () => {
  const file = orderFile(temporaryFolder(), 1);
  migrateFile(file, "orders");
  const link = orderFile(temporaryFolder(), 2);
  symlinkSync(file, link);
  const unlock = lockForService(link);
  expect(() => lockForService(file)).toThrow(/another service uses order-1\.db/);
  unlock();
});

test("a database that another process has open by a hard link is refused", async (context) => {
  const file = orderFile(temporaryFolder(), 1);
  const otherName = orderFile(temporaryFolder(), 1);
  migrateFile(file, "orders");
  linkSync(file, otherName);
  // A copy that a backup has linked harms nothing.
  lockForService(file)();
  const open = `
    const { openOrderDatabase } = await import(${JSON.stringify(join(import.meta.dirname, "../../apps/order-log/sqlite/database.ts"))});
    globalThis.kept = openOrderDatabase(process.argv.at(-1), 1);
    console.log("open");
    setInterval(() => {}, 1000);
  `;
  const other = Bun.spawn([process.execPath, "-e", open, dirname(otherName)], { stdout: "pipe" });
  context.onTestFinished(() => other.kill("SIGKILL"));
  await other.stdout.getReader().read();
  expect(() => lockForService(file)).toThrow(
    "another service uses order-1.db there; stop it, or choose another folder",
  );
});

test("a lock file that isn't empty is named", () => {
  const file = orderFile(temporaryFolder(), 1);
  migrateFile(file, "orders");
  writeFileSync(`${file}-lock`, "a note that was saved under a wrong name ".repeat(99));
  expect(() => lockForService(file)).toThrow(`${file}-lock must be an empty file (it isn't): delete it`);
});
