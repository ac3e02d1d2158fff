/** Every request passes admission once, before anything is done for it, and every route has an access level. */

import { accessLevels, type Access } from "@stock-bazaar/contract/access";
import { createApp } from "@stock-bazaar/front-end/app";
import type { Bazaar } from "@stock-bazaar/front-end/bazaar";
import { dialects } from "@stock-bazaar/front-end/dialects/index";
import type { Admission } from "@stock-bazaar/front-end/http/admission";
import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { Failure } from "@stock-bazaar/front-end/http/failures";
import { createMetrics } from "@stock-bazaar/front-end/http/metrics";
import { groupRoutes } from "@stock-bazaar/front-end/http/routing";
import { listen } from "@stock-bazaar/front-end/listen";
import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, type TestClient, withChanges } from "./support/client.ts";
import { headerOf, parseRaw, sendRaw, sendRawInTurn } from "./support/raw-http.ts";

const refusal = new Failure(401, "INVALID_REQUEST", "who are you?", { "www-authenticate": "Bearer" });
const admitOpen: Admission = (_, access) => (access === "open" ? undefined : refusal);
const faults = { host: "localhost", inject: async () => true };

/** Fails a test that calls the bazaar. */
const untouched = new Proxy({} as Bazaar, {
  get: (_, name) => () => {
    throw new Error(`the bazaar must not be called (got a call of ${String(name)})`);
  },
});

/** What a browser opens by itself and a load balancer asks for; nothing here reveals stocks or orders. */
const open = [
  "/",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/docs",
  "/docs/start.js",
  "/docs/swagger-ui-bundle.js",
  "/docs/swagger-ui.css",
];
const admin = [
  "/stocksCache/{name}",
  "/cache_invalid/{name}",
  "/faults/kill-leader",
  "/faults/freeze-leader",
  "/faults/kill-catalog",
  "/faults/freeze-catalog",
];

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

/** Looks GameStart up, so that the cache has it. */
async function cacheGameStart(): Promise<void> {
  await client.get("/stocks/GameStart");
  expect((await client.get("/stocks/GameStart")).headers["x-cache"]).toBe("hit");
}

describe.each(Object.values(dialects))("in the dialect $name", (dialect) => {
  test("each route has its access level in the document", async () => {
    const described = client.beside({ dialect, faults });
    const document = (await described.get("/openapi.json")).body as OpenApi;
    for (const { method, path, "x-access": access, parameters = [] } of operationsOf(document)) {
      const isTrade = method === "post" && parameters.some(({ name }) => name === "Idempotency-Key");
      const expected = open.includes(path) ? "open" : admin.includes(path) ? "admin" : isTrade ? "trade" : "read";
      expect(access, `${method} ${path}`).toBe(expected);
    }
  });

  test("only requests to open routes are admitted, whatever the path and method", async () => {
    const { routes, request } = createApp({
      bazaar: untouched,
      logger: silentLogger,
      dialect,
      faults,
      admit: admitOpen,
    });
    const paths = new Set(routes.map(({ path }) => path.replace(/:\w+/g, "GameStart")));
    expect(paths.size).toBeGreaterThan(15);
    for (const path of [...paths, "/nope", "/stocks/a/b", "/%", "/stocks/%E0%A4%A", "/metrics/", "/healthz/x"]) {
      for (const query of ["", "?stockname=GameStart", "?order-number=1", "?limit=x"]) {
        for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"]) {
          const isOpen = open.includes(path) && (method === "GET" || method === "HEAD");
          const response = await request(`http://localhost${path}${query}`, { method });
          if (isOpen) expect(response.status, `${method} ${path}${query}`).not.toBe(401);
          else expect(response.status, `${method} ${path}${query}`).toBe(401);
          if (method === "HEAD" || isOpen) continue;
          expect(await response.json()).toEqual({
            error: { code: 401, message: "who are you?", reason: "INVALID_REQUEST" },
          });
        }
      }
    }
  });
});

test("a cached stock doesn't bypass admission, and a refused lookup doesn't count as a hit", async () => {
  await cacheGameStart();
  const before = (await client.bazaar.cluster()).cache.hits;
  const answer = await client.beside({ admit: admitOpen }).get("/stocks/GameStart");
  expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
  expect(answer.headers).not.toHaveProperty("x-cache");
  expect((await client.bazaar.cluster()).cache.hits).toBe(before);
  expect((await client.get("/stocks/GameStart")).headers["x-cache"]).toBe("hit");
});

test("each request is admitted once, with the access level of its route", async () => {
  await cacheGameStart();
  const admitted: [method: string, path: string, access: Access][] = [];
  const watched = client.beside({
    admit: ({ method, url }, access) => void admitted.push([method, new URL(url).pathname, access]),
  });
  const asks: readonly [string, string, Access][] = [
    ["GET", "/stocks/GameStart", "read"],
    // Recognized ahead of the router, and then left to it.
    ["GET", "/stocks/Nope", "read"],
    ["GET", "/stocks/Nope", "read"],
    ["HEAD", "/stocks/GameStart", "read"],
    ["GET", "/stocks/", "read"],
    ["GET", "/stocksCache/FishCo", "admin"],
    ["POST", "/orders", "trade"],
    ["POST", "/orders/", "trade"],
    ["HEAD", "/events", "read"],
    ["OPTIONS", "/orders", "read"],
    ["DELETE", "/healthz", "read"],
    ["GET", "/nope", "read"],
    ["GET", "/healthz", "open"],
  ];
  for (const [method, path] of asks) await watched.fetch(path, { method });
  expect(admitted).toEqual(asks);
  expect(admitted.every(([, , access]) => accessLevels.includes(access))).toBe(true);
});

test("the body of a refused trade isn't read, and the trade isn't placed", async () => {
  const trade = vi.fn<Bazaar["trade"]>();
  const refusing = client.beside({ admit: admitOpen, changes: { trade } });
  const body = new ReadableStream({ pull: () => Promise.reject(new Error("the body was read")) }, { highWaterMark: 0 });
  expect((await refusing.send("POST", "/orders", { body })).status).toBe(401);
  expect(trade).not.toHaveBeenCalled();
});

test("on the wire, a refusal has the headers of its connection, a line in the log, and a count in the metrics", async () => {
  await cacheGameStart();
  const lines: Record<string, unknown>[] = [];
  const logger: Logger = {
    ...silentLogger,
    isLevelEnabled: () => true,
    debug: (fields: object) => void lines.push({ ...fields }),
  };
  const addresses: (string | undefined)[] = [];
  const metrics = createMetrics();
  const app = createApp({
    bazaar: withChanges(client.bazaar, {}),
    logger,
    metrics,
    admit(request, access, connection, reword) {
      addresses.push(connection?.addressOf(request));
      return admitOpen(request, access, connection, reword);
    },
  });
  const options = { logger, requestTimeoutMs: 5000, keepAliveTimeoutMs: 90_000 };
  const http = listen(app, { host: "127.0.0.1", port: 0, variables: frontEndVariables }, options);
  const [first = "", second = ""] = await sendRawInTurn(
    http.port,
    "GET /stocks/GameStart HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n",
    "GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  const head = await sendRaw(http.port, "HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  await http.stop();
  for (const reply of [first, second, head].map(parseRaw)) {
    expect(reply.status).toBe(401);
    expect(headerOf(reply, "keep-alive")).toEqual(["timeout=90"]);
    expect(headerOf(reply, "x-request-id")).toHaveLength(1);
    expect(headerOf(reply, "content-length")).toEqual([String(refusal.body.length)]);
    expect(headerOf(reply, "transfer-encoding")).toEqual([]);
  }
  expect(addresses).toEqual(["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
  expect(lines.map(({ route, status, client: from }) => [route, status, from])).toEqual([
    ["/stocks/{name}", 401, "127.0.0.1"],
    ["/events", 401, "127.0.0.1"],
    ["/events", 401, "127.0.0.1"],
  ]);
  expect(await metrics.render(undefined)).toMatch(
    /^bazaar_http_request_duration_seconds_count\{route="\/stocks\/\{name\}",method="GET",status="4xx"\} 1$/m,
  );
});

test("routes that share a method and path must have one access", () => {
  const [list] = dialects.bazaar
    .routes({ bazaar: untouched, metrics: createMetrics() })
    .filter(({ path }) => path === "/stocks");
  if (list === undefined) throw new Error("GET /stocks must be there");
  expect(() => groupRoutes([list, { ...list, access: "admin" }])).toThrow(
    "the routes of GET /stocks must have one access (got read and admin)",
  );
});
