/** The commands of drizzle-kit besides `npm run generate`: none of them makes a file that the services refuse. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { openOrderDatabase } from "@stock-bazaar/order-log/sqlite/database";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = resolve(import.meta.dirname, "../..");

function drizzleKit(args: readonly string[], environment: Readonly<Record<string, string>>) {
  return Bun.spawn([process.execPath, "--bun", "node_modules/.bin/drizzle-kit", ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = drizzleKit(args, environment);
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exitCode, stdout, stderr };
}

test("migrate makes databases that the services accept, and changes nothing the second time", async () => {
  const dataDir = temporaryFolder();
  const first = await run(["migrate"], { DATA_DIR: dataDir });
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("migrations applied") });
  openCatalogDatabase(dataDir).close();
  openOrderDatabase(dataDir, 3).close();
  const second = await run(["migrate"], { DATA_DIR: dataDir });
  expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("up to date") });
});

test.each(["catalog", "orders", "postgres"])("check accepts the migrations of %s", async (database) => {
  const { exitCode, stdout } = await run(["check"], { BAZAAR_DATABASE: database });
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Everything's fine") });
});

test("studio shows a replica's orders", async () => {
  const dataDir = temporaryFolder();
  await migrateAll({ dataDir, replicas: new Map([[2, { host: "127.0.0.1", port: 6002 }]]) });
  const [port] = await freePorts(1);
  const environment = { DATA_DIR: dataDir, BAZAAR_DATABASE: "orders", ORDER_ID: "2" };
  const studio = drizzleKit(["studio", "--port", String(port)], environment);
  onTestFinished(async () => {
    studio.kill("SIGKILL");
    await studio.exited;
  });
  const headers = { "content-type": "application/json" };
  const ask = (body: object) =>
    fetchDirectly(`http://127.0.0.1:${port}/`, { method: "POST", headers, body: JSON.stringify(body) });
  await eventually("it answers", async () => (await ask({ type: "init" })).ok);
  const query = { type: "proxy", data: { sql: "SELECT count(*) AS orders FROM orders", params: [], method: "all" } };
  expect(await (await ask(query)).json()).toEqual([{ orders: 0 }]);
});

test("studio doesn't create a missing database", async () => {
  const dataDir = temporaryFolder();
  const { exitCode, stderr } = await run(["studio"], { DATA_DIR: dataDir });
  const file = join(dataDir, "catalog.db");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: `studio must have a database (${file} does not exist): npm run migrate\n`,
  });
  expect(existsSync(file)).toBe(false);
});

test("push, which would change tables without a migration, is refused", async () => {
  const { exitCode, stderr } = await run(["push"], { DATA_DIR: temporaryFolder() });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("npm run generate") });
});
