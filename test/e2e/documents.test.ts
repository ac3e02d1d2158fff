/**
 * Runs the commands of the tutorial and the README in their order, on a bazaar that has just been started, and compares
 * their output. Only the ports and the data folder differ from the documents.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { root, Service } from "@stock-bazaar/cluster/service";
import { eventually, within } from "@stock-bazaar/cluster/wait";
import { at } from "@stock-bazaar/shared/json";
import { type TestContext, expect, test } from "vitest";
import { get } from "../support/requests.ts";
import { matchesOutput, readSteps } from "./support/document.ts";
import { isInstalled, makeShims, type Tool } from "./support/shims.ts";

/** The tools to replace: those that this machine lacks, and always `npm`, which would install first. */
const missing: readonly Tool[] = ["npm", ...(["sqlite3", "lsof"] as const).filter((tool) => !isInstalled(tool))];

/** Enough for a hundred consecutive trades by `curl` on a busy machine. */
const commandTimeoutMs = 60_000;

interface Bazaar {
  /** Runs a command of the documents. Resolves with its output; rejects with it if the command fails. */
  readonly type: (command: string, tools?: readonly Tool[]) => Promise<string>;
  readonly start: () => Promise<void>;
  /** Resolves when every replica is live and equal to the ledger. */
  readonly settled: () => Promise<void>;
}

async function createBazaar(context: TestContext): Promise<Bazaar> {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
  const ports = await freePorts(5);
  const [frontEnd, catalog, ...replicas] = ports;
  const environment = {
    DATA_DIR: join(folder, "data"),
    FRONTEND_PORT: String(frontEnd),
    CATALOG_PORT: String(catalog),
    ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
  };
  const places: [documented: string, real: string][] = [
    ["localhost:8080", `127.0.0.1:${frontEnd}`],
    ...replicas.map((port, index): [string, string] => [`tcp:${6001 + index}`, `tcp:${port}`]),
    [" data/", ` ${folder}/data/`],
    ["'data/", `'${folder}/data/`],
  ];
  const up = new Service("up", "apps/cli/main.ts", { args: ["up"], environment });
  context.onTestFailed(() => {
    process.stderr.write(`${up.lines.slice(-40).join("\n")}\n`);
  });
  context.onTestFinished(async () => {
    if (up.isRunning) await up.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  let shims = 0;
  return {
    async start() {
      // On a busy machine a replica may start too late for the front-end, so that another leads than in the documents.
      for (;;) {
        up.start();
        await eventually("the bazaar is open", () => up.newLines.some((line) => line.includes("is open")));
        const { body } = await get(`http://127.0.0.1:${frontEnd}/cluster`);
        if (at(body, "data", "leader") === 3) return;
        await up.stop();
        rmSync(environment.DATA_DIR, { recursive: true, force: true });
      }
    },
    async settled() {
      await eventually("every replica has caught up", async () => {
        const states = at((await get(`http://127.0.0.1:${frontEnd}/cluster`)).body, "data", "replicas");
        return (
          Array.isArray(states) && states.every((state) => at(state, "state") === "live" && at(state, "lag") === 0)
        );
      });
    },
    async type(command, tools = missing) {
      const there = places.reduce((text, [documented, real]) => text.replaceAll(documented, real), command);
      shims += 1;
      const path = `${makeShims(join(folder, `shims-${shims}`), tools)}:${resolve(root, "node_modules/.bin")}:${process.env.PATH}`;
      const child = Bun.spawn(["bash", "-c", there], {
        cwd: root,
        // Without NO_PROXY, `curl` would use a proxy of the environment.
        env: { ...process.env, ...environment, NO_PROXY: "*", no_proxy: "*", PATH: path },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [output, errors] = await within(
        `the end of ${there}`,
        Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]),
        commandTimeoutMs,
      );
      if ((await child.exited) !== 0) throw new Error(`exit code ${child.exitCode} of ${there}\n${output}${errors}`);
      return places.reduce((text, [documented, real]) => text.replaceAll(real, documented), output);
    },
  };
}

test.for([
  ["docs/tutorial.md", ["console", "sh"] as const],
  // Its sh blocks list alternative commands, not a sequence.
  ["README.md", ["console"] as const],
] as const)("%s", { timeout: 180_000 }, async ([file, languages], context) => {
  const bazaar = await createBazaar(context);
  let steps = readSteps(readFileSync(join(root, file), "utf8"), languages);
  if (steps[0]?.command === "npm start") steps = steps.slice(1);
  await bazaar.start();
  expect(steps.length).toBeGreaterThan(5);
  for (const { line, command, output } of steps) {
    // A person types slowly enough for the replicas to catch up before looking into the files.
    if (/verify|sqlite3/.test(command)) await bazaar.settled();
    const printed = await bazaar.type(command);
    const where = `${file}:${line}: ${command}\n${printed}`;
    if (output !== undefined) expect(matchesOutput(output, printed), where).toBe(true);
    if (!command.startsWith("sqlite3")) continue;
    // The replacement of sqlite3 must print the same.
    expect(await bazaar.type(command, ["sqlite3"]), where).toBe(printed);
  }
});
