/** `npm start` with tokens: the commands work with one, are told what is missing without, and nothing writes one down. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFinished, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { barriers, launchBrowser, openDashboard } from "./support/browser.ts";
import { startUp } from "./support/up.ts";

/** A receiver of traces that keeps what it gets as text. */
function receiveTraces() {
  const bodies: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      bodies.push(await request.text());
      return Response.json({});
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, bodies };
}

function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
}

test("commands and the page work with a token, and no log line, trace or file contains one", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-tokens-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const environment = { API_TOKENS_FILE: join(folder, "tokens.json") };
  const secrets: string[] = [];
  const printed: string[] = [];
  const add = async (name: string, scopes: string) => {
    const { stdout, stderr } = await bazaar(["token", "add", name, "--scopes", scopes], { environment });
    secrets.push(stdout.trim());
    printed.push(stderr);
    return stdout.trim();
  };
  const [robot, keeper] = [await add("robot", "read,trade"), await add("keeper", "read,admin")];
  const traces = receiveTraces();
  const up = await startUp(context, {
    environment: {
      ...environment,
      BAZAAR_TOKEN: keeper,
      LOG_LEVEL: "trace",
      OTEL_EXPORTER_OTLP_ENDPOINT: traces.url,
    },
  });
  expect(up.service.lines.join("\n")).toMatch(/leader +order replica 3/);

  const run = async (token: string, ...args: string[]) => {
    const ended = await bazaar(args, {
      environment: { FRONTEND_PORT: String(up.ports[0]), DATA_DIR: up.dataDir, ...(token && { BAZAAR_TOKEN: token }) },
    });
    printed.push(ended.stdout, ended.stderr);
    return ended;
  };
  expect(await run(robot, "trade", "buy", "1", "GameStart")).toMatchObject({ exitCode: 0 });
  expect(await run(robot, "lookup", "GameStart")).toMatchObject({ exitCode: 0 });
  expect((await run(robot, "status")).stdout).toMatch(/^front-end #1 +live/m);
  expect((await run(keeper, "status")).stdout).toMatch(/^front-end 127\.0\.0\.1:\d+ +live/m);
  expect(await run(robot, "client", "--clients", "2", "--requests", "5", "--p", "1")).toMatchObject({ exitCode: 0 });

  const missing = "A token is required: send it as Authorization: Bearer TOKEN (here: BAZAAR_TOKEN)";
  for (const args of [["lookup", "GameStart"], ["status"], ["trade", "buy", "1", "GameStart"]]) {
    const refused = await run("", ...args);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain(missing);
  }
  const lacking = await run(keeper, "trade", "buy", "1", "GameStart");
  expect(lacking).toMatchObject({ exitCode: 1, stderr: "The token must have the scope trade\n" });
  secrets.push("never-a-token");
  expect((await run("never-a-token", "lookup")).stderr).toContain("The token is not known");
  secrets.push("with spaces");
  expect(await run("with spaces", "lookup")).toMatchObject({ exitCode: 2 });

  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const { page, complaints } = await openDashboard(context, browser, up.url);
  await page.getByText("A token is required").waitFor();
  expect(await barriers(page)).toEqual([]);
  const use = async (token: string) => {
    await page.locator("#token").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
  };
  await use("never-a-token");
  await page.getByText("The token is not known").waitFor();
  await use(robot);
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("row", { name: /^GameStart / }).waitFor();
  await page.getByRole("button", { name: "Place the order" }).click();
  await page.getByText(/^Order \d+: bought 1 unit of /).waitFor();
  await page.getByRole("button", { name: "Kill the leader" }).click();
  await page.getByText("The token must have the scope admin").waitFor();
  await page.reload();
  await page.getByText("Live", { exact: true }).waitFor();
  expect(await page.evaluate("document.cookie + location.href + JSON.stringify(localStorage)")).toBe(`${up.url}/{}`);
  // The browser itself reports the refusals.
  expect(complaints.filter((line) => !/status of 40[13]/.test(line))).toEqual([]);
  await page.getByRole("button", { name: "Token" }).click();
  await page.getByRole("button", { name: "Forget it" }).click();
  await page.getByText("A token is required").waitFor();
  await page.getByRole("row", { name: /^GameStart / }).waitFor({ state: "detached" });

  expect(await bazaar(["token", "revoke", "robot"], { environment })).toMatchObject({ exitCode: 0 });
  const frontEnd = up.children().get("front-end") ?? 0;
  process.kill(frontEnd, "SIGHUP");
  await eventually("the revoked token is refused", async () => (await run(robot, "lookup")).exitCode === 1);
  expect(await run(keeper, "lookup")).toMatchObject({ exitCode: 0 });
  expect(up.children().get("front-end")).toBe(frontEnd);

  await up.service.stop();
  expect(traces.bodies.length).toBeGreaterThan(0);
  const written = [...up.service.lines, ...printed, ...traces.bodies, ...textsBelow(up.dataDir), ...textsBelow(folder)];
  for (const secret of secrets) expect(written.filter((text) => text.includes(secret))).toEqual([]);
});
