/** What holds for every route: unknown paths, methods, request ids, and replies if the bazaar gives no answer. */

import { BazaarError, type ErrorCode } from "@stock-bazaar/shared/errors";
import { type Logger, silentLogger } from "@stock-bazaar/process/log";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTestClient, expectFailure, type TestClient } from "./support/client.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("an unknown path", () => {
  test.each([
    "/nope",
    "/doc",
    "/event",
    "/stock/a/b",
    "//stocks/GameStart",
    "/Stocks",
    "/stocks%2FGameStart",
    "/%73tocks",
    "/orders/1/2",
    "/__proto__",
    "/%E0%A4%A",
    "/*",
    "/:name",
    "/buy/x",
    "/healthz/x",
  ])("GET %s is answered with 404", async (path) => {
    expectFailure(await client.get(path), 404, "Invalid GET request/URL", "INVALID_REQUEST");
  });

  test.each(["/nope", "/buy/x", "/order/x", "/orders/1/2", "/faults", "/faults/kill-leader"])(
    "POST %s is answered with 404",
    async (path) => {
      expectFailure(await client.post(path, {}), 404, "Invalid POST request/URL", "INVALID_REQUEST");
    },
  );

  test("any other method is named", async () => {
    expectFailure(await client.send("DELETE", "/nope"), 404, "Invalid DELETE request/URL", "INVALID_REQUEST");
    expect((await client.send("HEAD", "/nope")).status).toBe(404);
  });
});

describe("a known path with another method", () => {
  const readable = "GET, HEAD";
  test.each([
    ["POST", "/stocks/GameStart", readable],
    ["PUT", "/stocks/GameStart/", readable],
    ["POST", "/stocks", readable],
    ["DELETE", "/stocks/", readable],
    ["PUT", "/orders", "GET, HEAD, POST"],
    ["PATCH", "/orders/", "GET, HEAD, POST"],
    ["POST", "/orders/1", readable],
    ["DELETE", "/orders/1", readable],
    ["OPTIONS", "/orders", "GET, HEAD, POST"],
    ["POST", "/stocksCache/GameStart", readable],
    ["POST", "/stocksCacheLookup/GameStart", readable],
    ["GET", "/order/", "POST"],
    ["GET", "/buy", "POST"],
    ["HEAD", "/buy", "POST"],
    ["POST", "/products/Tux", readable],
    ["POST", "/get_order_leader", readable],
    ["POST", "/hello", readable],
    ["POST", "/", readable],
    ["POST", "/events", readable],
    ["POST", "/healthz", readable],
    ["POST", "/cluster", readable],
    ["POST", "/metrics", readable],
    ["DELETE", "/openapi.json", readable],
  ])("%s %s is answered with 405 and what is allowed", async (method, path, allow) => {
    const answer = await client.send(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    if (method === "HEAD") return;
    expectFailure(answer, 405, `Invalid ${method} request/URL`, "INVALID_REQUEST");
  });
});

describe("HEAD", () => {
  test.each([
    "/stocks",
    "/stocks/GameStart",
    "/nope",
    "/stocks/Nope",
    "/stocks/",
    "/orders",
    "/orders/1000",
    "/healthz",
    "/readyz",
    "/hello",
    "/openapi.json",
    "/",
  ])("of %s has the headers of GET, without the body", async (path) => {
    await client.get(path);
    const got = await client.get(path, { "x-request-id": "same" });
    const head = await client.send("HEAD", path, { headers: { "x-request-id": "same" } });
    expect(head.status).toBe(got.status);
    expect(head.headers).toEqual(got.headers);
  });
});

describe("x-request-id", () => {
  const paths = ["/stocks/GameStart", "/stocks/Nope", "/stocks", "/orders/x", "/nope", "/healthz", "/hello"];

  test.each(paths)("%s keeps the client's own", async (path) => {
    for (const id of ["a", "request-1", "!~", "x".repeat(128), '{"a":1}']) {
      expect((await client.get(path, { "x-request-id": id })).headers["x-request-id"]).toBe(id);
    }
    const refused = await client.send("DELETE", path, { headers: { "x-request-id": "mine" } });
    expect(refused.headers["x-request-id"]).toBe("mine");
  });

  test.each(paths)("%s gets a new one if the client's is invalid or absent", async (path) => {
    const ids: (string | undefined)[] = [];
    for (const id of [undefined, "", "x".repeat(129), "two words", "tab\tbed", "é", "one, two"]) {
      const answer = await client.get(path, id === undefined ? {} : { "x-request-id": id });
      expect(answer.headers["x-request-id"]).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      ids.push(answer.headers["x-request-id"]);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("if the bazaar gives no answer", () => {
  const trade = { name: "GameStart", quantity: 1, type: "buy" };
  const rows = [
    {
      routes: [
        ["POST", "/orders"],
        ["POST", "/order"],
        ["POST", "/buy"],
      ],
      unavailable: "Stock could not be traded: no answer in time; retry with the same Idempotency-Key",
      internal: "Stock could not be traded due to internal error",
    },
    {
      routes: [
        ["GET", "/stocks/GameStart"],
        ["GET", "/stocks"],
        ["GET", "/stocks?stockname=GameStart"],
        ["GET", "/stock/GameStart"],
        ["GET", "/products/GameStart"],
      ],
      unavailable: "Stock could not be looked up: no answer in time; try again",
      internal: "Lookup Failed due to internal error",
    },
    {
      routes: [
        ["GET", "/orders/1"],
        ["GET", "/orders"],
        ["GET", "/orders?order-number=1"],
      ],
      unavailable: "Orders could not be read: no answer in time; try again",
      internal: "Lookup Failed due to internal error",
    },
    {
      routes: [
        ["GET", "/cluster"],
        ["GET", "/readyz"],
      ],
      unavailable: "State could not be read: no answer in time; try again",
      internal: "State could not be read due to internal error",
    },
  ] as const;
  const routes = rows.flatMap(({ routes, unavailable, internal }) =>
    routes.map(([method, path]) => ({ method, path, unavailable, internal })),
  );

  function failing(error: unknown, logger: Logger = silentLogger): TestClient {
    // The test needs rejections with any value.
    const fail = () => Promise.reject(error);
    return client.beside({
      changes: { lookup: fail, stocks: fail, trade: fail, order: fail, orders: fail, cluster: fail },
      logger,
    });
  }

  const ask = (asked: TestClient, method: string, path: string, headers = {}) =>
    method === "POST" ? asked.post(path, trade, headers) : asked.get(path, headers);

  test.each(routes)("$method $path replies with a 503 and `Retry-After`", async ({ method, path, unavailable }) => {
    const codes: ErrorCode[] = [
      "UNAVAILABLE",
      "OVERLOADED",
      "DEPENDENCY_UNAVAILABLE",
      "NOT_LEADER",
      "FENCED",
      "STALE_TERM",
      "STORAGE_UNAVAILABLE",
      "DIVERGED",
    ];
    for (const code of codes) {
      const asked = failing(new BazaarError(code, "secret 10.0.0.7:6001"));
      const answer = await ask(asked, method, path);
      expectFailure(answer, 503, unavailable, "UNAVAILABLE");
      expect(answer.headers["retry-after"]).toBe("1");
      if (unavailable.startsWith("Stock could not be looked up")) expect(answer.headers["x-cache"]).toBe("bypass");
    }
  });

  test.each(routes)("$method $path hides an internal error, and logs it", async ({ method, path, internal }) => {
    const secret = new Error("SQLITE_CORRUPT at /var/lib/secret.db");
    for (const thrown of [
      secret,
      new BazaarError("INTERNAL_ERROR", "secret", { cause: secret }),
      new BazaarError("INVALID_REQUEST", "secret"),
      "secret",
      undefined,
      null,
    ]) {
      const error = vi.fn();
      const asked = failing(thrown, { ...silentLogger, isLevelEnabled: () => true, debug: vi.fn(), error });
      const answer = await ask(asked, method, path, { "x-request-id": "traced" });
      expectFailure(answer, 500, internal, "INTERNAL_ERROR");
      expect(JSON.stringify(answer)).not.toMatch(/secret|SQLITE|\.ts\b/i);
      expect(error).toHaveBeenCalledExactlyOnceWith(
        expect.objectContaining({ requestId: "traced", err: expect.any(BazaarError) }),
        expect.any(String),
      );
    }
  });

  test("a key refused by an error gets the same reply as one refused by an outcome", async () => {
    const asked = failing(new BazaarError("KEY_REUSED", "secret"));
    const message = "Idempotency-Key was used with a different request";
    expectFailure(await asked.post("/orders", trade), 422, message, "KEY_REUSED");
  });

  test("an error thrown by a call gets the same reply as a rejection", async () => {
    const explode = () => {
      throw new Error("secret");
    };
    const asked = client.beside({ changes: { dropCached: explode, lookupCached: explode, trade: explode } });
    const internal = "Cache Invalidation Failed due to internal error";
    expectFailure(await asked.get("/stocksCache/GameStart"), 500, internal, "INTERNAL_ERROR");
    expectFailure(await asked.get("/stocksCacheLookup/GameStart"), 500, internal, "INTERNAL_ERROR");
    const answer = await asked.post("/orders", trade);
    expectFailure(answer, 500, "Stock could not be traded due to internal error", "INTERNAL_ERROR");
  });

  test("/healthz, /hello, /metrics and /openapi.json still answer", async () => {
    const asked = failing(new BazaarError("UNAVAILABLE", "secret"));
    for (const path of ["/healthz", "/hello", "/metrics", "/openapi.json"]) {
      expect((await asked.get(path)).status).toBe(200);
    }
  });
});
