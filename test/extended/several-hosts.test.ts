/**
 * A bazaar on several hosts: each catalog, replica and front-end and PostgreSQL has its own network namespace and address, and a
 * cable to a switch. Cables are unplugged, packets are lost and hosts vanish while clients on another host trade.
 *
 * All of it is in namespaces that end with this test (`hosts/isolated.ts`). No time is asserted; each is printed.
 */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "./hosts/inside.ts";
import { isolated, whyNotIsolated } from "./hosts/isolated.ts";
import { scenarios } from "./hosts/scenarios.ts";

const whyNot = whyNotIsolated();
const timeoutMs = 180_000;

/** PostgreSQL, which is run by another user, has its files in it. */
function folderForAll(): string {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-hosts-"));
  chmodSync(folder, 0o711);
  return folder;
}

class SeveralHosts {
  readonly #folder = folderForAll();
  readonly #process = Bun.spawn(isolated(...bunCommand(resolve(import.meta.dirname, "hosts/inside.ts"))), {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: this.#folder },
  });
  readonly #results = createInterface({ input: Readable.fromWeb(this.#process.stdout) })[Symbol.asyncIterator]();

  async run(title: string): Promise<Result> {
    void this.#process.stdin.write(`${title}\n`);
    await this.#process.stdin.flush();
    const { value, done } = await this.#results.next();
    if (done) throw new Error("the bazaar on several hosts must give a result (it ended)");
    return JSON.parse(value) as Result;
  }

  async end(): Promise<void> {
    await this.#process.stdin.end();
    await this.#process.exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

let hosts: SeveralHosts;

if (whyNot === undefined) {
  beforeAll(() => {
    hosts = new SeveralHosts();
  });
  afterAll(() => hosts.end());
}

test.for(scenarios)("$title", { timeout: timeoutMs }, async ({ title, isShared }, context) => {
  if (whyNot !== undefined) context.skip(whyNot);
  if (isShared && process.getuid?.() !== 0)
    context.skip("PostgreSQL must not run as root, and a namespace of another user has no other user than root");
  const { violations, figures, logs } = await hosts.run(title);
  if (violations.length > 0) process.stderr.write(`${logs.join("\n")}\n`);
  expect(violations).toEqual([]);
  process.stdout.write(`${title}: ${JSON.stringify(figures)}\n`);
});
