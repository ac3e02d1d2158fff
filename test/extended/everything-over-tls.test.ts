/** `bazaar certs`, then `bazaar up` with what it printed: all links and the front-ends use TLS, and commands find their way. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startUp } from "../e2e/support/up.ts";

test("the whole bazaar runs over TLS, and commands trade with it by its CA", async (context) => {
  const { stdout } = await bazaar(["certs", "--to", join(temporaryFolder(), "certs")]);
  const variables = Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=") as [string, string]),
  );
  const { BAZAAR_CA = "", ...services } = variables;
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
