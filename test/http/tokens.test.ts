/** Tokens at the door: who gets in, who doesn't, and what those who don't get. */

import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@stock-bazaar/cluster/wait";
import type { Scope } from "@stock-bazaar/contract/access";
import { createApp } from "@stock-bazaar/front-end/app";
import { dialects } from "@stock-bazaar/front-end/dialects/index";
import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { exampleRequest } from "@stock-bazaar/front-end/http/example-request";
import { Tokens } from "@stock-bazaar/front-end/http/tokens";
import { LiveTokens } from "@stock-bazaar/front-end/live-tokens";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { hashOfToken, type TokenFile } from "@stock-bazaar/process/token-file";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createTestClient, expectFailure, type TestClient } from "./support/client.ts";

const secrets = {
  reader: "token-of-the-reader",
  trader: "token-of-the-trader",
  keeper: "token-of-the-keeper",
} as const;
const granted: Readonly<Record<keyof typeof secrets, readonly Scope[]>> = {
  reader: ["read"],
  trader: ["trade"],
  keeper: ["admin"],
};
const entry = (name: keyof typeof secrets) => ({
  name,
  sha256: hashOfToken(secrets[name]).toString("hex"),
  scopes: granted[name],
});
const file: TokenFile = { anonymous: [], tokens: [entry("reader"), entry("trader"), entry("keeper")] };
const bearer = (name: keyof typeof secrets) => ({ authorization: `Bearer ${secrets[name]}` });
const missing = "A token is required: send it as Authorization: Bearer TOKEN";
const unknown = "The token is not known: it must be sent as Authorization: Bearer TOKEN, and not be revoked";
const faults = { host: "localhost", inject: async () => true };

let open: TestClient;
let client: TestClient;
beforeAll(async () => {
  open = await createTestClient();
  client = beside(file);
});
afterAll(() => open.close());

function beside(tokens: TokenFile): TestClient {
  const known = new Tokens(tokens);
  return open.beside({ tokens: () => known, faults });
}

const refused = (access: string) =>
  JSON.stringify({
    error: { code: 403, message: `The token must have the scope ${access}`, reason: "INVALID_REQUEST" },
  });

/** Doesn't read a reply that may be a stream without an end. */
async function bodyOf(response: Response, isRefused: boolean): Promise<string> {
  if (isRefused) return response.text();
  await response.body?.cancel();
  return "";
}

test.each(Object.values(dialects))("each route of the dialect $name opens to its scope alone", async (dialect) => {
  const known = new Tokens(file);
  const app = createApp({ bazaar: open.bazaar, logger: silentLogger, dialect, faults, tokens: () => known });
  const document = (await (await app.request("/openapi.json")).json()) as OpenApi;
  for (const operation of operationsOf(document)) {
    const { method, path, headers, body } = exampleRequest(operation);
    const access = operation["x-access"];
    for (const name of Object.keys(secrets) as (keyof typeof secrets)[]) {
      const response = await app.request(path, {
        method,
        headers: { ...headers, ...bearer(name), host: "localhost" },
        ...(body === undefined ? {} : { body }),
      });
      const isRefused = access !== "open" && !granted[name].includes(access);
      const words = await bodyOf(response, isRefused);
      expect(words === refused(access), `${method} ${path} by ${name}: ${words}`).toBe(isRefused);
      const isStreaming = dialect.name === "streaming" && operation.responses[403] === undefined;
      if (isRefused) expect(response.status).toBe(isStreaming ? 200 : 403);
      expect(response.headers.get("www-authenticate")).toBe(
        isRefused ? `Bearer error="insufficient_scope", scope="${access}"` : null,
      );
    }
  }
});

test("a request without a token, or with one that isn't known, is refused, also for a cached stock", async () => {
  await client.get("/stocks/GameStart", bearer("reader"));
  expect((await client.get("/stocks/GameStart", bearer("reader"))).headers["x-cache"]).toBe("hit");
  const without = await client.get("/stocks/GameStart");
  expectFailure(without, 401, missing, "INVALID_REQUEST");
  expect(without.headers["www-authenticate"]).toBe("Bearer");
  for (const authorization of [
    "Bearer nonsense",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "",
    `Bearer ${secrets.reader}x`,
    secrets.reader,
  ]) {
    const refused = await client.get("/stocks/GameStart", { authorization });
    expectFailure(refused, 401, unknown, "INVALID_REQUEST");
    expect(refused.headers["www-authenticate"]).toBe('Bearer error="invalid_token"');
  }
});

test("the scheme may have any case, and spaces", async () => {
  for (const authorization of [`bearer ${secrets.reader}`, `BEARER   ${secrets.reader}`]) {
    expect((await client.get("/stocks/GameStart", { authorization })).status).toBe(200);
  }
});

test("what is open needs no token, and takes any", async () => {
  for (const path of ["/healthz", "/readyz", "/", "/docs", "/openapi.json"]) {
    expect((await client.get(path)).status).toBe(200);
    expect((await client.get(path, { authorization: "Bearer nonsense" })).status).toBe(200);
  }
});

test("requests without a token may do what the file lets them, and an unknown token is refused even there", async () => {
  const lenient = beside({ ...file, anonymous: ["read"] });
  expect((await lenient.get("/stocks/GameStart")).status).toBe(200);
  expectFailure(await lenient.post("/orders", {}), 401, missing, "INVALID_REQUEST");
  expectFailure(await lenient.get("/stocksCache/GameStart"), 401, missing, "INVALID_REQUEST");
  const revoked = await lenient.get("/stocks/GameStart", { authorization: "Bearer revoked" });
  expectFailure(revoked, 401, unknown, "INVALID_REQUEST");
});

test("a file without tokens lets nobody in", async () => {
  const shut = beside({ anonymous: [], tokens: [] });
  expect((await shut.get("/stocks")).status).toBe(401);
  expect((await shut.get("/stocks", bearer("reader"))).status).toBe(401);
});

describe("the details of the cluster", () => {
  const cluster = async () => ({
    ...(await open.bazaar.cluster()),
    catalog: { state: "read-only" as const, head: 1, stocks: 3, problem: "no space on /data" },
    catalogs: [{ address: "10.0.0.1:6000", state: "active" as const }],
    frontEnds: [{ address: "10.0.0.2:8080", live: true, dialect: "bazaar" }],
  });

  test("are for administrators, once there are tokens", async () => {
    const known = new Tokens({
      anonymous: [],
      tokens: [entry("reader"), { ...entry("keeper"), scopes: ["read", "admin"] }],
    });
    const asked = open.beside({ tokens: () => known, changes: { cluster } });
    const whole = (await asked.get("/cluster", bearer("keeper"))).text;
    expect((await open.beside({ changes: { cluster } }).get("/cluster")).text).toBe(whole);
    for (const detail of ["10.0.0.1:6000", "10.0.0.2:8080", "no space on /data"]) expect(whole).toContain(detail);
    const { body, text } = await asked.get("/cluster", bearer("reader"));
    expect(text).not.toMatch(/10\.0\.0|\/data/);
    expect(body).toMatchObject({
      data: {
        catalog: { state: "read-only" },
        catalogs: [{ address: "#1", state: "active" }],
        front_ends: [{ address: "#1", state: "live" }],
      },
    });
  });

  test("are for no token that is revoked while its request waits", async () => {
    let known = new Tokens(file);
    const revoked = async () => {
      known = new Tokens({ anonymous: [], tokens: [] });
      return cluster();
    };
    const { status, text } = await open
      .beside({ tokens: () => known, changes: { cluster: revoked } })
      .get("/cluster", bearer("reader"));
    expect(status).toBe(200);
    expect(text).not.toMatch(/10\.0\.0|\/data/);
  });
});

describe("the tokens of now", () => {
  function live() {
    const path = join(temporaryFolder(), "tokens.json");
    const write = (content: TokenFile) => writeFileSync(path, JSON.stringify(content));
    write({ anonymous: [], tokens: [entry("reader")] });
    const lines: string[] = [];
    const keep = (...line: unknown[]) => void lines.push(JSON.stringify(line));
    const logger: Logger = { ...silentLogger, info: keep, error: keep };
    const tokens = new LiveTokens(path, logger);
    onTestFinished(() => tokens.close());
    const knows = (name: keyof typeof secrets) => tokens.current.clientOf(`Bearer ${secrets[name]}`) !== undefined;
    return { path, write, lines, tokens, knows };
  }

  test("follow the file by themselves", async () => {
    const { write, knows } = live();
    expect(knows("trader")).toBe(false);
    write({ anonymous: [], tokens: [entry("trader")] });
    await eventually("the new file is read", () => knows("trader"));
    expect(knows("reader")).toBe(false);
  });

  test("stay as they were when the file is wrong or gone, which is logged once", () => {
    const { path, write, lines, tokens, knows } = live();
    appendFileSync(path, `"${secrets.keeper}"`);
    tokens.reload();
    tokens.reload();
    expect(knows("reader")).toBe(true);
    expect(lines.filter((line) => line.includes("must be JSON"))).toHaveLength(1);
    rmSync(path);
    tokens.reload();
    expect(knows("reader")).toBe(true);
    expect(lines.filter((line) => line.includes("ENOENT"))).toHaveLength(1);
    write({ anonymous: [], tokens: [entry("trader")] });
    tokens.reload();
    expect([knows("reader"), knows("trader")]).toEqual([false, true]);
    expect(lines.join()).not.toMatch(/token-of/);
  });

  test("must be right at the start", () => {
    const path = join(temporaryFolder(), "tokens.json");
    expect(() => new LiveTokens(path, silentLogger)).toThrow(/^API_TOKENS_FILE must be a file of tokens/);
  });
});
