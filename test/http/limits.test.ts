/** Limits of requests, pages of other origins, and the headers of our own pages. */

import { createApp } from "@stock-bazaar/front-end/app";
import { guarded } from "@stock-bazaar/front-end/http/admission";
import { addressBehind } from "@stock-bazaar/front-end/http/client-address";
import { Tokens } from "@stock-bazaar/front-end/http/tokens";
import { rateLimitsOf } from "@stock-bazaar/front-end/http/rate-limit";
import { listen } from "@stock-bazaar/front-end/listen";
import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { silentLogger } from "@stock-bazaar/process/log";
import { hashOfToken } from "@stock-bazaar/process/token-file";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClient, expectFailure, type TestClient } from "./support/client.ts";

const tooMany = "Too many requests: wait as long as Retry-After says";
const entry = (name: string) => ({
  name,
  sha256: hashOfToken(`token-of-${name}`).toString("hex"),
  scopes: ["read", "trade"] as const,
});
const bearer = (name: string) => ({ authorization: `Bearer token-of-${name}` });

let open: TestClient;
beforeAll(async () => {
  open = await createTestClient();
});
afterAll(() => open.close());

describe("requests under way", () => {
  const message = "Too many requests are under way: nothing was done; try again";

  test("above their number others get 503, but for cached lookups and open routes, until one has its reply", async () => {
    const waiting: (() => void)[] = [];
    const client = open.beside({
      requestsMax: 2,
      changes: {
        order: (id) => new Promise((resolve) => void waiting.push(() => void open.bazaar.order(id).then(resolve))),
      },
    });
    await client.get("/stocks/GameStart");
    const two = [client.get("/orders/1"), client.get("/orders/2")];
    const refused = await client.post("/orders", { name: "GameStart", quantity: 1, type: "buy" });
    expectFailure(refused, 503, message, "UNAVAILABLE");
    expect(refused.headers["retry-after"]).toBe("1");
    expect((await client.get("/stocks/GameStart")).status).toBe(200);
    for (const path of ["/healthz", "/readyz"]) expect((await client.get(path)).status).toBe(200);
    waiting.shift()?.();
    await two[0];
    expect((await client.post("/orders", { name: "GameStart", quantity: 1, type: "buy" })).status).toBe(200);
    waiting.shift()?.();
    await two[1];
  });

  test("one that fails is under way no more", async () => {
    const client = open.beside({ requestsMax: 1, changes: { order: () => Promise.reject(new Error("broken")) } });
    for (let time = 0; time < 3; time += 1) expect((await client.get("/orders/1")).status).toBe(500);
  });
});

describe("a limit", () => {
  test("is one for trades and one for everything else, and open routes have none", async () => {
    const client = open.beside({ admit: guarded({ limits: rateLimitsOf({ trades: 1, reads: 3 }) }, () => 0) });
    expect((await client.post("/orders", {})).status).toBe(400);
    const refused = await client.post("/orders", { name: "GameStart", quantity: 1, type: "buy" });
    expectFailure(refused, 429, tooMany, "UNAVAILABLE");
    expect(refused.headers).toMatchObject({
      "retry-after": "1",
      ratelimit: '"trades";r=0;t=1',
      "ratelimit-policy": '"trades";q=1;w=1',
    });
    for (const path of ["/stocks/GameStart", "/nope"]) expect((await client.get(path)).status).not.toBe(429);
    // A cached lookup doesn't pass by the limit either.
    const statuses = [];
    for (let lookup = 0; lookup < 3; lookup += 1) statuses.push((await client.get("/stocks/GameStart")).status);
    expect(statuses).toEqual([200, 429, 429]);
    for (let look = 0; look < 5; look += 1) expect((await client.get("/healthz")).status).toBe(200);
  });

  test("is each token's own, and that of requests without a known token belongs to their address", async () => {
    const known = new Tokens({ anonymous: [], tokens: [entry("a"), entry("b")] });
    const client = open.beside({
      admit: guarded({ tokens: () => known, limits: rateLimitsOf({ trades: 1, reads: 1 }) }, () => 0),
    });
    const statusOf = async (headers: Record<string, string>) => (await client.post("/orders", {}, headers)).status;
    expect(await statusOf(bearer("a"))).toBe(400);
    expect(await statusOf(bearer("a"))).toBe(429);
    expect(await statusOf(bearer("b"))).toBe(400);
    expect(await statusOf(bearer("unknown"))).toBe(401);
    expect(await statusOf(bearer("another"))).toBe(429);
    expect(await statusOf({})).toBe(429);
  });
});

test("behind a trusted proxy, the limit is that of the client's address", async () => {
  const app = createApp({
    bazaar: open.bazaar,
    logger: silentLogger,
    admit: guarded({ limits: rateLimitsOf({ trades: 1, reads: 1 }) }, () => 0),
  });
  const options = { logger: silentLogger, requestTimeoutMs: 5000, keepAliveTimeoutMs: 90_000 };
  const address = { host: "127.0.0.1", port: 0, variables: frontEndVariables };
  for (const [trusted, expected] of [
    [["127.0.0.0/8"], [200, 429, 200]],
    // Of the proxy's address, whatever the client sends.
    [[], [200, 429, 429]],
  ] as const) {
    const http = listen(app, address, { ...options, addressBehind: addressBehind(trusted) });
    const statuses = [];
    for (const client of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
      const headers = { "x-forwarded-for": client };
      statuses.push((await fetchDirectly(`${http.url}/stocks/GameStart`, { headers })).status);
    }
    await http.stop();
    expect(statuses).toEqual(expected);
  }
});

describe("pages of other origins", () => {
  const shop = "https://shop.example";
  const preflight = { origin: shop, "access-control-request-method": "POST" };
  const marks = (headers: Headers) =>
    [...headers.keys()].filter((name) => name.startsWith("access-control") || name === "vary");

  test("get nothing by default", async () => {
    expect(marks((await open.fetch("/stocks/GameStart", { headers: { origin: shop } })).headers)).toEqual([]);
    const refused = await open.fetch("/orders", { method: "OPTIONS", headers: preflight });
    expect([refused.status, marks(refused.headers)]).toEqual([405, []]);
  });

  test("may use the front-end if they are named, also with a token", async () => {
    const known = new Tokens({ anonymous: [], tokens: [entry("a")] });
    const client = open.beside({ tokens: () => known, corsOrigins: [shop] });
    const asked = await client.fetch("/orders", { method: "OPTIONS", headers: preflight });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-origin")).toBe(shop);
    expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(asked.headers.has("access-control-allow-credentials")).toBe(false);
    for (let lookup = 0; lookup < 3; lookup += 1) {
      const found = await client.fetch("/stocks/GameStart", { headers: { origin: shop, ...bearer("a") } });
      expect([found.status, found.headers.get("access-control-allow-origin")]).toEqual([200, shop]);
      expect(found.headers.get("access-control-expose-headers")).toContain("etag");
    }
    const refused = await client.fetch("/stocks/GameStart", { headers: { origin: shop } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, shop]);
  });

  test("get nothing if others are named, and no cache gives them the others' replies", async () => {
    const client = open.beside({ corsOrigins: [shop] });
    const other = "https://evil.example";
    const found = await client.fetch("/stocks/GameStart", { headers: { origin: other } });
    expect(marks(found.headers)).toEqual(["vary"]);
    expect(
      (await client.fetch("/orders", { method: "OPTIONS", headers: { ...preflight, origin: other } })).status,
    ).toBe(405);
    const all = await open.beside({ corsOrigins: ["*"] }).fetch("/stocks/GameStart", { headers: { origin: other } });
    expect(all.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("can't cause faults, even if all may call", async () => {
    const faults = { host: "localhost", inject: async () => true };
    const client = open.beside({ corsOrigins: ["*"], faults });
    const answer = await client.post("/faults/kill-leader", {}, { host: "localhost", origin: shop });
    expect(answer.status).toBe(403);
  });
});

test.each(["/", "/docs"])("the page %s can't be framed, reached into, or misread", async (path) => {
  expect((await open.get(path)).headers).toMatchObject({
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
});
