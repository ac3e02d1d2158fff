import { statSync } from "node:fs";
import { basename } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { checkpoint } from "./checkpoint.ts";
import { migrateFile } from "./migrations.ts";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";

/** Reads the register in a transaction that stays open. */
const reader = `
  const { Database } = require("bun:sqlite");
  const client = new Database(process.argv.at(-1), { readonly: true });
  client.run("BEGIN");
  console.log("reads term", client.query("SELECT term FROM register").get().term);
  setInterval(() => {}, 1000);
`;

/** A catalog that is open for writing, with frames in its write-ahead log. */
function scenario() {
  const folder = temporaryFolder();
  const file = catalogFile(folder);
  migrateFile(file, "catalog");
  const { client, close } = openCatalogDatabase(folder);
  onTestFinished(close);
  const write = () => void client.exec("UPDATE register SET term = term + 1");
  write();
  const logBytes = () => statSync(`${file}-wal`).size;
  return { file, client, write, logBytes };
}

async function startReader(file: string): Promise<{ pid: number; end: () => Promise<void> }> {
  const started = Bun.spawn([process.execPath, "-e", reader, file], { stdout: "pipe", stderr: "inherit" });
  const end = async () => {
    started.kill("SIGKILL");
    await started.exited;
  };
  onTestFinished(end);
  const { value } = await started.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("reads term 1\n");
  return { pid: started.pid, end };
}

test("what was committed is in the database file, and the log is empty", () => {
  const { client, logBytes } = scenario();
  expect(logBytes()).toBeGreaterThan(0);
  expect(checkpoint(client)).toBeUndefined();
  expect(logBytes()).toBe(0);
  expect(client.prepare("SELECT term FROM register").get()).toEqual({ term: 1 });
  // It also succeeds with nothing to copy.
  expect(checkpoint(client)).toBeUndefined();
});

test("another process that reads is named at once, without a wait; when it has ended, the log is emptied", async () => {
  const { file, client, write, logBytes } = scenario();
  const { pid, end } = await startReader(file);
  write();
  const usualWaitMs = client.pragma("busy_timeout", { simple: true });
  expect(usualWaitMs).toBeGreaterThan(0);
  const pragma = client.pragma.bind(client);
  const waitsMs: unknown[] = [];
  vi.spyOn(client, "pragma").mockImplementation((source, options) => {
    if (source.startsWith("wal_checkpoint")) waitsMs.push(pragma("busy_timeout", { simple: true }));
    return pragma(source, options);
  });

  // Linux keeps 15 bytes of it.
  const command = basename(process.execPath).slice(0, 15);
  expect(checkpoint(client)).toBe(`catalog.db is read by process ${pid} (${command})`);
  expect(waitsMs).toEqual([0]);
  expect(client.pragma("busy_timeout", { simple: true })).toBe(usualWaitMs);
  expect(logBytes()).toBeGreaterThan(0);

  await end();
  expect(checkpoint(client)).toBeUndefined();
  expect(logBytes()).toBe(0);
  expect(client.pragma("busy_timeout", { simple: true })).toBe(usualWaitMs);
});

test("the busy timeout of later statements is restored after a failure, too", () => {
  const { client } = scenario();
  const usualWaitMs = client.pragma("busy_timeout", { simple: true });
  const pragma = client.pragma.bind(client);
  const spied = vi.spyOn(client, "pragma").mockImplementation((source, options) => {
    if (source.startsWith("wal_checkpoint")) throw new Error("disk I/O error");
    return pragma(source, options);
  });
  expect(() => checkpoint(client)).toThrow("disk I/O error");
  spied.mockRestore();
  expect(client.pragma("busy_timeout", { simple: true })).toBe(usualWaitMs);
});
