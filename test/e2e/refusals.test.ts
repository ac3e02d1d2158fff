/** A service that can't do its work prints the reason and the remedy in one line, and ends with a meaningful exit code. */

import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { connect } from "@stock-bazaar/sqlite/connection";
import { commandOf } from "@stock-bazaar/sqlite/lock-holder";
import { lockForService } from "@stock-bazaar/sqlite/service-lock";
import { readConfig } from "@stock-bazaar/process/config";
import { describe, expect, test } from "vitest";

/** This process holds the locks of these tests. Its name in `/proc` is that of the thread. */
const holder = process.platform === "linux" ? `, process ${process.pid} (${commandOf(process.pid)})` : "";

interface Refusal {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a service that should end by itself. */
async function run(workspace: string, environment: Readonly<Record<string, string>>): Promise<Refusal> {
  const service = new Service(workspace, `apps/${workspace}/main.ts`, { environment });
  service.start();
  try {
    const { code } = await service.ended();
    return { code, said: service.lines.join("\n") };
  } finally {
    if (service.isRunning) await service.kill();
  }
}

async function withDataDir(action: (environment: Record<string, string>) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
  const [frontEnd, catalog, order] = await freePorts(3);
  try {
    await action({
      DATA_DIR: dataDir,
      FRONTEND_PORT: String(frontEnd),
      CATALOG_PORT: String(catalog),
      ORDER_REPLICAS: `1=127.0.0.1:${order}`,
      ORDER_ID: "1",
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

describe.concurrent("a service refuses", () => {
  test("to start without its database, naming the file and the command that makes it", () =>
    withDataDir(async (environment) => {
      const { DATA_DIR: empty = "" } = environment;
      for (const dataDir of [empty, join(empty, "missing")]) {
        const catalog = await run("catalog", { ...environment, DATA_DIR: dataDir });
        expect(catalog.code).toBe(1);
        expect(catalog.said).toContain(catalogFile(dataDir));
        expect(catalog.said).toMatch(/npm run migrate.*npm run seed/);
        const order = await run("order", { ...environment, DATA_DIR: dataDir });
        expect(order.code).toBe(1);
        expect(order.said).toContain(orderFile(dataDir, 1));
        expect(order.said).toContain("npm run migrate");
      }
    }));

  test("a file that isn't a database", () =>
    withDataDir(async (environment) => {
      const { DATA_DIR: dataDir = "" } = environment;
      writeFileSync(
        orderFile(dataDir, 1),
        "not a database, but long enough to be taken for the header of one".repeat(9),
      );
      const { code, said } = await run("order", environment);
      expect(code).toBe(1);
      expect(said).toContain(`${orderFile(dataDir, 1)} is not a SQLite database`);
    }));

  test("a database of a newer version or of another kind, naming both, with exit code 2", () =>
    withDataDir(async (environment) => {
      const config = readConfig(environment);
      await migrateAll(config);
      const databases = { catalog: catalogFile(config.dataDir), order: orderFile(config.dataDir, 1) };
      for (const [workspace, database] of Object.entries(databases)) {
        const client = connect(database, "write");
        const version = Number(client.pragma("user_version", { simple: true }));
        client.pragma("user_version = 99");
        expect(await run(workspace, environment)).toEqual({
          code: 2,
          said: `${database} was migrated by a newer version of this program (99 migrations, this one has ${version}): update the program`,
        });
        client.pragma(`user_version = ${version}`);
        client.pragma("application_id = 7");
        const { code, said } = await run(workspace, environment);
        expect({ code, said: said.split("\n") }).toEqual({
          code: 2,
          said: [expect.stringMatching(/ is not (the catalog's|an order replica's) database: move it elsewhere/)],
        });
        client.close();
      }
    }));

  test.each([
    ["catalog", "CACHE_LEASE_MS", "soon"],
    ["catalog", "CATALOG_PORT", "70000"],
    ["order", "ORDER_ID", "7"],
    ["order", "ORDER_MIN_COPIES", "2"],
    ["front-end", "ORDER_REPLICAS", "1=localhost"],
    ["front-end", "CACHE_SIZE", "-1"],
    ["front-end", "LOG_LEVEL", "loud"],
  ])("%s: %s=%s with exit code 2, naming variable, value and what is allowed", (workspace, variable, value) =>
    withDataDir(async (environment) => {
      const { code, said } = await run(workspace, { ...environment, [variable]: value });
      expect(code).toBe(2);
      expect(said.split("\n")).toHaveLength(1);
      expect(said.startsWith(`${variable} must be `), said).toBe(true);
      expect(said).toContain(` (got ${JSON.stringify(value)})`);
    }),
  );

  test("a folder that is a file", () =>
    withDataDir(async (environment) => {
      const file = join(environment.DATA_DIR ?? "", "file");
      writeFileSync(file, "");
      for (const workspace of ["catalog", "order"]) {
        const refusal = await run(workspace, { ...environment, DATA_DIR: file });
        expect(refusal).toEqual({ code: 2, said: `DATA_DIR must be a folder (got "${file}"): this is a file` });
      }
    }));

  test("a database that another service uses", () =>
    withDataDir(async (environment) => {
      const config = readConfig(environment);
      await migrateAll(config);
      const databases = { catalog: catalogFile(config.dataDir), order: orderFile(config.dataDir, 1) };
      for (const [workspace, database] of Object.entries(databases)) {
        const unlock = lockForService(database);
        const refusal = await run(workspace, environment);
        unlock();
        expect(refusal).toEqual({
          code: 2,
          said: `DATA_DIR must be a folder that no other service uses (got "${config.dataDir}"): another service uses ${basename(database)} there${holder}; stop it, or choose another folder`,
        });
      }
    }));

  test("a file that is linked to another replica's file", () =>
    withDataDir(async (environment) => {
      const { DATA_DIR: dataDir = "" } = environment;
      await migrateAll(readConfig(environment));
      linkSync(orderFile(dataDir, 1), orderFile(dataDir, 2));
      const said = `${orderFile(dataDir, 1)} and ${orderFile(dataDir, 2)} must be two files (they are links to the same one)`;
      for (const workspace of ["catalog", "order"])
        expect(await run(workspace, environment)).toEqual({ code: 2, said });
    }));

  test("a lock that is a folder", () =>
    withDataDir(async (environment) => {
      const { DATA_DIR: dataDir = "" } = environment;
      await migrateAll(readConfig(environment));
      const locks = { catalog: `${catalogFile(dataDir)}-lock`, order: `${orderFile(dataDir, 1)}-lock` };
      for (const [workspace, lock] of Object.entries(locks)) {
        mkdirSync(lock);
        const said = `${lock} must be a file that this user can read and write (it is a folder)`;
        expect(await run(workspace, environment)).toEqual({ code: 2, said });
      }
    }));

  test("to let everyone in from other machines, or to start with a wrong file of tokens", () =>
    withDataDir(async (environment) => {
      const listen = `0.0.0.0:${environment.FRONTEND_PORT}`;
      expect(await run("front-end", { ...environment, FRONTEND_LISTEN: listen })).toEqual({
        code: 2,
        said: `FRONTEND_LISTEN must be on a loopback address, like 127.0.0.1, unless API_TOKENS_FILE is set (got "${listen}"): ALLOW_INSECURE=1 allows it, for a network in which every client may do everything`,
      });
      const file = join(environment.DATA_DIR ?? "", "tokens.json");
      writeFileSync(file, '{"tokens":[{"name":"robot","sha256":"a-secret","scopes":["read"]}]}');
      expect(await run("front-end", { ...environment, API_TOKENS_FILE: file })).toEqual({
        code: 2,
        said: `API_TOKENS_FILE must be a file of tokens, as \`bazaar token add\` writes it (got "${file}"): tokens[0].sha256 must be the SHA-256 of a token, as 64 hexadecimal digits`,
      });
    }));

  test("to be one of several catalogs on a file, or without an address of its own", () =>
    withDataDir(async ({ CATALOG_PORT: _, ...environment }) => {
      const catalogs = "127.0.0.1:6000,127.0.0.1:6004";
      const onFile = `CATALOG_ADDRESSES must have one entry, unless LEDGER_URL names a ledger that several catalogs can share (got "${catalogs}")`;
      for (const workspace of ["catalog", "order", "front-end"])
        expect(await run(workspace, { ...environment, CATALOG_ADDRESSES: catalogs })).toEqual({
          code: 2,
          said: onFile,
        });
      // Before the server is asked for.
      const shared = { ...environment, CATALOG_ADDRESSES: catalogs, LEDGER_URL: "postgres://127.0.0.1:1/bazaar" };
      const said =
        "CATALOG_LISTEN must be the HOST:PORT on which this catalog listens, because CATALOG_ADDRESSES names several (not set)";
      expect(await run("catalog", shared)).toEqual({ code: 2, said });
    }));

  test("a port that is taken", () =>
    withDataDir(async (environment) => {
      await migrateAll(readConfig(environment));
      const services = [
        ["catalog", "CATALOG_PORT", "CATALOG_LISTEN"],
        ["order", "ORDER_REPLICAS", "ORDER_LISTEN"],
        ["front-end", "FRONTEND_PORT", "FRONTEND_LISTEN"],
      ] as const;
      for (const [workspace, variable, listen] of services) {
        const port = Number(environment[variable]?.split(":").at(-1));
        const taken = createServer().listen(port, "127.0.0.1");
        const refusals = [
          await run(workspace, environment),
          await run(workspace, { ...environment, [listen]: `0.0.0.0:${port}`, ALLOW_INSECURE: "1" }),
        ];
        taken.close();
        const why = (host: string) =>
          `: another process listens there (${host}:${port}); stop it, or choose another port`;
        const [must, got] = variable === "ORDER_REPLICAS" ? ["name", `127.0.0.1:${port}`] : ["be", String(port)];
        // The catalog has logged its start before.
        expect(refusals.map(({ code, said }) => ({ code, said: said.split("\n").at(-1) }))).toEqual([
          { code: 2, said: `${variable} must ${must} a free port (got "${got}")${why("127.0.0.1")}` },
          { code: 2, said: `${listen} must name a free port (got "0.0.0.0:${port}")${why("0.0.0.0")}` },
        ]);
      }
    }));
});
