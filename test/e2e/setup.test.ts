/** The messages of the first npm command if the packages can't be installed. */

import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { copyTree } from "./support/tree-copy.ts";

const npm = Bun.which("npm");

/** Runs npm as a person does, without the environment that `npm test` has made for this process. */
async function run(cwd: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = Bun.spawn([npm ?? "", ...args], {
    cwd,
    env: { PATH: `${dirname(npm ?? "")}:/usr/bin:/bin`, npm_config_fetch_retries: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exitCode, stdout, stderr };
}

const stackTrace = /^(npm error)? +at /m;

// Bun alone can run the tests too, without npm.
describe.skipIf(npm === null)("without a single package installed", () => {
  test.each([
    ["npm start", ["start"]],
    ["npm run --silent verify", ["run", "--silent", "verify"]],
  ])("%s names the registry that can't be reached", async (_command, args) => {
    const folder = copyTree();
    const home = join(folder, "..", "home");
    mkdirSync(home);
    const [port] = await freePorts(1);
    const { exitCode, stdout, stderr } = await run(folder, args, {
      HOME: home,
      npm_config_registry: `http://127.0.0.1:${port}`,
    });
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain("Most often the package registry can't be reached: `npm ping` asks it.");
    expect(stderr).not.toMatch(stackTrace);
    expect(`${stdout}${stderr}`).not.toContain("is open");
    expect(exitCode).not.toBe(0);
  });

  test("npm start names a cache folder that npm can't write", async () => {
    const folder = copyTree();
    const { exitCode, stderr } = await run(folder, ["start"], { HOME: "/dev/null/nobody" });
    expect(stderr).toContain('npm\'s cache must be a folder that this user may write (got "/dev/null/nobody/.npm")');
    expect(stderr).toContain("set HOME");
    expect(exitCode).not.toBe(0);
  });

  test("without HOME, npm run setup also names a cache that npm can't write", async () => {
    const folder = copyTree();
    const { stderr } = await run(folder, ["run", "--silent", "setup"], {
      npm_config_cache: join(folder, "package.json"),
    });
    expect(stderr).toContain(`(got "${join(folder, "package.json")}")`);
    expect(existsSync(join(folder, "node_modules"))).toBe(false);
  });
});

test("each npm script installs by setup.sh, which explains failures", () => {
  const installs = new Set(
    Object.entries(manifest.scripts).flatMap(([name, script]) => (/^(pre|setup$)/.test(name) ? [script] : [])),
  );
  expect([...installs]).toEqual(["sh apps/cli/setup.sh"]);
  const names = Object.keys(manifest.scripts).filter((name) => !/^(pre|setup$|format$)/.test(name));
  expect(names.filter((name) => !(`pre${name}` in manifest.scripts))).toEqual([]);
});
