/** Services, `npm start` and tools name a file that they can't use before they do anything else. */

import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { SetupError } from "@stock-bazaar/shared/errors";
import { beforeEach, expect, test } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { canRunUnprivileged, runUnprivileged } from "../test/support/unprivileged.ts";
import { requireOneHistory } from "./recovery/history.ts";
import { requireDifferentFiles } from "./recovery/replicas-here.ts";
import { migrateAll } from "./migrate.ts";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase, orderFile } from "@stock-bazaar/order-log/sqlite/database";

const address = { host: "127.0.0.1", port: 1 };
const replicas = new Map([
  [1, address],
  [2, address],
]);
let dataDir: string;
let file: string;

beforeEach(async () => {
  dataDir = temporaryFolder();
  file = orderFile(dataDir, 1);
  await migrateAll({ dataDir, replicas });
});

async function messageOf(open: () => unknown): Promise<string> {
  try {
    await open();
  } catch (error) {
    if (error instanceof SetupError) return error.message;
    throw error;
  }
  throw new Error("must be refused");
}

const open = () => openOrderDatabase(dataDir, 1);
const migrate = () => migrateAll({ dataDir, replicas });

test.each(["", "-wal", "-shm"])("order-1.db%s that is a folder is named", async (suffix) => {
  rmSync(`${file}${suffix}`, { force: true });
  mkdirSync(`${file}${suffix}`);
  const message = `${file}${suffix} must be a file that this user can read and write (it is a folder)`;
  expect(await messageOf(open)).toBe(message);
  expect(await messageOf(migrate)).toBe(message);
});

test.skipIf(!canRunUnprivileged).each(["order-1.db", "catalog.db"])(
  "a read-only %s is named by its service and by `bazaar up`, and nothing is started",
  async (name) => {
    chmodSync(dataDir, 0o777);
    for (const each of [catalogFile(dataDir), file, orderFile(dataDir, 2)]) chmodSync(each, 0o666);
    const path = join(dataDir, name);
    chmodSync(path, 0o444);
    const [frontEnd, catalog, one, two] = await freePorts(4);
    const environment = {
      DATA_DIR: dataDir,
      FRONTEND_PORT: String(frontEnd),
      CATALOG_PORT: String(catalog),
      ORDER_ID: "1",
      ORDER_REPLICAS: `1=127.0.0.1:${one},2=127.0.0.1:${two}`,
    };
    const service = name === "catalog.db" ? "apps/catalog/main.ts" : "apps/order/main.ts";
    for (const command of [[service], ["apps/cli/main.ts", "up"]]) {
      const script = [process.execPath, join(import.meta.dirname, "..", command[0] ?? ""), ...command.slice(1)];
      const { exitCode, stderr, stdout } = await runUnprivileged(script, environment);
      expect({ exitCode, stderr: stderr.trim() }).toEqual({
        exitCode: 2,
        stderr: expect.stringMatching(/^\S+ must be a file that this user can read and write \(EACCES: [^\n]*\)$/),
      });
      expect(stderr.startsWith(path)).toBe(true);
      expect(stdout).not.toContain("open");
    }
  },
);

test.each([
  ["a symbolic link", symlinkSync],
  ["a hard link", linkSync],
])("two replicas that share a file by %s are refused", async (_how, link) => {
  const other = orderFile(dataDir, 2);
  rmSync(other);
  link(file, other);
  const message = `${file} and ${other} must be two files (they are links to the same one)`;
  for (const look of [requireDifferentFiles, requireOneHistory, migrateAll]) {
    expect(await messageOf(() => look({ dataDir, replicas }))).toBe(message);
  }
});

test("a database that is a link to another disk is used", async () => {
  const elsewhere = temporaryFolder();
  rmSync(file);
  await migrateAll({ dataDir: elsewhere, replicas });
  symlinkSync(orderFile(elsewhere, 1), file);
  await requireOneHistory({ dataDir, replicas });
  open().close();
});
