/**
 * `bazaar certs`, then `bazaar up` with what it printed: all links and the front-ends use TLS. Commands find their way, and so
 * do the examples and the page in a browser, with tokens.
 */

import { join, resolve } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import { expect, onTestFinished, test } from "vitest";
import { launchBrowser, openDashboard } from "../e2e/support/browser.ts";
import { bazaar } from "../support/command-line.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startUp } from "../e2e/support/up.ts";

/** Makes a CA and certificates. Returns the variables that turn TLS on, those of commands apart. */
async function certified(): Promise<{ BAZAAR_CA: string; services: Record<string, string> }> {
  const { stdout } = await bazaar(["certs", "--to", join(temporaryFolder(), "certs")]);
  const lines = stdout.trim().split("\n");
  const { BAZAAR_CA = "", ...services } = Object.fromEntries(lines.map((line) => line.split("=") as [string, string]));
  return { BAZAAR_CA, services };
}

test("the whole bazaar runs over TLS, and commands trade with it by its CA", async (context) => {
  const { BAZAAR_CA, services } = await certified();
  // `up` needs no CA for its own front-ends.
  const up = await startUp(context, { environment: services });
  const FRONTEND_PORT = new URL(up.url).port;
  expect(up.service.lines.find((line) => line.startsWith("  open"))).toContain(`https://127.0.0.1:${FRONTEND_PORT}`);

  for (const where of [
    { args: [] as string[], environment: { BAZAAR_CA, FRONTEND_PORT } },
    { args: ["--ca", BAZAAR_CA, "--host", "localhost", "--port", FRONTEND_PORT], environment: {} },
  ]) {
    const run = (...args: string[]) => bazaar([...args, ...where.args], { environment: where.environment });
    expect(await run("status")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run("trade", "buy", "1", "GameStart")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await run("lookup", "GameStart")).toMatchObject({ exitCode: 0, stderr: "" });
    const { exitCode, stdout: report } = await run("client", "--clients", "2", "--requests", "20", "--json");
    expect(exitCode, report).toBe(0);
  }
  const out = join(temporaryFolder(), "evaluation");
  const evaluated = await bazaar(
    ["evaluate", "--url", `https://127.0.0.1:${FRONTEND_PORT}`, "--ca", BAZAAR_CA, "--out", out].concat(
      "--p 0.5 --requests 20 --warm-up 0 --rounds 1 --clients 2".split(" "),
    ),
  );
  expect(evaluated.exitCode, evaluated.stderr).toBe(0);

  const [, catalog, ...replicas] = up.ports;
  const places = {
    DATA_DIR: up.dataDir,
    CATALOG_PORT: String(catalog),
    ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
  };
  const verify = (environment: Readonly<Record<string, string>>) =>
    bazaar(["verify", "--from-services"], { environment: { ...places, ...environment } });
  expect(await verify(services)).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await verify({ RPC_TIMEOUT_MS: "1000" })).exitCode).toBe(1);

  const strange = await bazaar(["lookup", "GameStart", "--timeout", "1"], {
    environment: { FRONTEND_PORT, FRONTEND_TLS_CERT: "cert", FRONTEND_TLS_KEY: "key" },
  });
  expect(strange.exitCode).toBe(3);
  expect(strange.stderr).toMatch(
    /unable to verify the first certificate[^]*--ca or BAZAAR_CA names the file of the CA/,
  );
  expect(await up.service.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  const refused = "a client at 127.0.0.1 was refused: it speaks no TLS";
  expect(up.service.lines.filter((line) => /"level":[5-6]0/.test(line) && !line.includes(refused))).toEqual([]);
});

test("examples and the page work over HTTPS with a token", async (context) => {
  const { BAZAAR_CA, services } = await certified();
  const tokens = { API_TOKENS_FILE: join(temporaryFolder(), "tokens.json") };
  const { stdout } = await bazaar(["token", "add", "robot", "--scopes", "read,trade"], { environment: tokens });
  const BAZAAR_TOKEN = stdout.trim();
  const up = await startUp(context, { environment: { ...services, ...tokens, BAZAAR_TOKEN } });
  const url = up.url.replace("http:", "https:");

  for (const [client, ca] of [
    ["bun examples/trade.ts", "NODE_EXTRA_CA_CERTS"],
    ["python3 examples/trade.py", "SSL_CERT_FILE"],
    ["sh examples/trade.sh", "CURL_CA_BUNDLE"],
  ] as const) {
    if (Bun.which(client.split(" ", 1)[0] ?? "") === null) continue;
    const run = async (environment: Readonly<Record<string, string>>) => {
      const child = Bun.spawn(["sh", "-c", `${client} buy 1 GameStart`], {
        cwd: root,
        env: {
          PATH: `${resolve(root, "node_modules/.bin")}:${process.env.PATH}`,
          HOME: process.env.HOME,
          BAZAAR_URL: url,
          [ca]: BAZAAR_CA,
          ...environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return { stderr: await child.stderr.text(), exitCode: await child.exited };
    };
    expect(await run({ BAZAAR_TOKEN }), client).toEqual({ stderr: "", exitCode: 0 });
    const refused = await run({});
    expect(refused.exitCode, client).toBe(1);
    expect(refused.stderr).toContain("GameStart: 401 A token is required");
  }

  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const { page, complaints } = await openDashboard(context, browser, url, { ignoreHTTPSErrors: true });
  await page.locator("#token").fill(BAZAAR_TOKEN);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("Live", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Place the order" }).click();
  await page.getByText(/^Order \d+: bought 1 unit of /).waitFor();
  // The browser itself reports the refusal before the token was there.
  expect(complaints.filter((line) => !line.includes("status of 401"))).toEqual([]);
});
