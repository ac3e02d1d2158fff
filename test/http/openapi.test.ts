/** The document is valid, names every route, and says of each reply what is really replied. */

import { Validator } from "@seriousme/openapi-schema-validator";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, createTestClient, type TestClient } from "./support/client.ts";

interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
  readonly requestBody?: { readonly content: Content };
}
interface Documented {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}
type Content = Readonly<
  Record<
    string,
    { readonly example?: unknown; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }
  >
>;
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const ajv = new Ajv2020({ strict: false });
/** With a supervisor that takes faults, so that their routes are there. */
const faults = { host: "localhost", inject: async () => true };
let document: Document;
beforeAll(async () => {
  const client = await createTestClient({ faults });
  document = (await client.get("/openapi.json")).body as Document;
  await client.close();
  ajv.addSchema(document, "document");
});

const escaped = (segment: string) => segment.replaceAll("~", "~0").replaceAll("/", "~1");

/** Checks a value against the schema that the document has for a body. */
function check(pointer: readonly string[], value: unknown): void {
  const validate = ajv.compile({
    $ref: `document#/paths/${pointer.map(escaped).map(encodeURIComponent).join("/")}/schema`,
  });
  expect(validate(value), `${pointer.join(" ")}: ${JSON.stringify(validate.errors)} ${JSON.stringify(value)}`).toBe(
    true,
  );
}

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate({ ...structuredClone(document) });
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("it names every route and no other", () => {
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.toSorted()).toEqual(
    [
      "GET /stocks/{name}",
      "GET /stocks",
      "POST /orders",
      "GET /orders/{number}",
      "GET /orders",
      "GET /stocksCache/{name}",
      "GET /stocksCacheLookup/{name}",
      "GET /hello",
      "GET /stock/{name}",
      "POST /order",
      "GET /get_order_leader",
      "GET /cache_invalid/{name}",
      "GET /products/{name}",
      "POST /buy",
      "GET /healthz",
      "GET /readyz",
      "GET /cluster",
      "GET /metrics",
      "GET /openapi.json",
      "GET /",
      "GET /events",
      "POST /faults/kill-leader",
      "POST /faults/freeze-leader",
    ].toSorted(),
  );
});

test("every example fits its schema, and every reply has one", () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { responses, requestBody }] of Object.entries(operations)) {
      for (const [status, { content, headers }] of Object.entries(responses)) {
        expect(headers).toHaveProperty("x-request-id");
        if (status === "304") continue;
        for (const [type, { examples = {} }] of Object.entries(content ?? {})) {
          expect(Object.keys(examples).length, `${method} ${path} ${status}`).toBeGreaterThan(0);
          for (const { value } of Object.values(examples)) {
            check([path, method, "responses", status, "content", type], value);
          }
        }
      }
      if (requestBody === undefined) continue;
      const { example } = requestBody.content["application/json"] ?? {};
      expect(example).toBeDefined();
      check([path, method, "requestBody", "content", "application/json"], example);
    }
  }
});

describe("what is replied is documented", () => {
  const trade = { name: "GameStart", quantity: 1, type: "buy" };
  const tooMany = { ...trade, quantity: 2_147_483_647 };
  const large = { ...trade, name: "x".repeat(70_000) };
  const textType = { "content-type": "text/plain" };
  const own = { host: "localhost" };
  const strange = { ...own, origin: "http://evil.example" };
  type Ask = (client: TestClient) => Promise<Answer>;

  /** Requests of one operation, and the statuses that they must have. */
  const rows: [method: string, path: string, status: number, ask: Ask][] = [
    ["get", "/stocks/{name}", 200, (client) => client.get("/stocks/GameStart")],
    ["get", "/stocks/{name}", 304, (client) => client.get("/stocks/GameStart", { "if-none-match": "*" })],
    ["get", "/stocks/{name}", 404, (client) => client.get("/stocks/Nope")],
    ["get", "/stocks/{name}", 400, (client) => client.get("/stocks/")],
    ["get", "/stocks", 200, (client) => client.get("/stocks")],
    ["get", "/stocks", 200, (client) => client.get("/stocks?stockname=GameStart")],
    ["get", "/stocks", 304, (client) => client.get("/stocks?stockname=GameStart", { "if-none-match": "*" })],
    ["get", "/stocks", 404, (client) => client.get("/stocks?stockname=Nope")],
    ["get", "/stocks", 400, (client) => client.get("/stocks?stockname=")],
    ["post", "/orders", 200, (client) => client.post("/orders", trade)],
    ["post", "/orders", 400, (client) => client.post("/orders", {})],
    ["post", "/orders", 400, (client) => client.post("/orders", { ...trade, quantity: 0 })],
    ["post", "/orders", 400, (client) => client.post("/orders", { ...trade, type: "hold" })],
    ["post", "/orders", 400, (client) => client.post("/orders", trade, { "idempotency-key": "" })],
    ["post", "/orders", 400, (client) => client.post("/orders", tooMany)],
    ["post", "/orders", 404, (client) => client.post("/orders", { ...trade, name: "Nope" })],
    ["post", "/orders", 413, (client) => client.post("/orders", large)],
    ["post", "/orders", 422, (client) => reuse(client, "/orders")],
    ["get", "/orders/{number}", 200, (client) => client.get("/orders/1")],
    ["get", "/orders/{number}", 404, (client) => client.get("/orders/1000000")],
    ["get", "/orders/{number}", 400, (client) => client.get("/orders/x")],
    ["get", "/orders", 200, (client) => client.get("/orders?limit=1")],
    ["get", "/orders", 400, (client) => client.get("/orders?limit=0")],
    ["get", "/orders", 200, (client) => client.get("/orders?order-number=1")],
    ["get", "/orders", 404, (client) => client.get("/orders?order-number=1000000")],
    ["get", "/stocksCache/{name}", 200, (client) => client.get("/stocksCache/GameStart")],
    ["get", "/stocksCache/{name}", 400, (client) => client.get("/stocksCache/")],
    ["get", "/stocksCacheLookup/{name}", 404, (client) => client.get("/stocksCacheLookup/Nope")],
    ["get", "/stocksCacheLookup/{name}", 400, (client) => client.get("/stocksCacheLookup/")],
    ["get", "/hello", 200, (client) => client.get("/hello")],
    ["get", "/stock/{name}", 200, (client) => client.get("/stock/GameStart")],
    ["get", "/stock/{name}", 400, (client) => client.get("/stock/Unknown")],
    ["get", "/stock/{name}", 400, (client) => client.get("/stock/")],
    ["post", "/order", 200, (client) => client.post("/order", trade)],
    ["post", "/order", 400, (client) => client.post("/order", { ...trade, name: "Unknown" })],
    ["post", "/order", 400, (client) => client.post("/order", [])],
    ["post", "/order", 500, (client) => client.post("/order", tooMany)],
    ["post", "/order", 413, (client) => client.post("/order", large)],
    ["post", "/order", 422, (client) => reuse(client, "/order")],
    ["get", "/get_order_leader", 200, (client) => client.get("/get_order_leader")],
    ["get", "/cache_invalid/{name}", 200, (client) => client.get("/cache_invalid/GameStart")],
    ["get", "/cache_invalid/{name}", 400, (client) => client.get("/cache_invalid/")],
    ["get", "/products/{name}", 200, (client) => client.get("/products/GameStart")],
    ["get", "/products/{name}", 404, (client) => client.get("/products/Nope")],
    ["get", "/products/{name}", 400, (client) => client.get("/products/")],
    ["post", "/buy", 200, (client) => client.post("/buy", trade)],
    ["post", "/buy", 200, (client) => client.post("/buy", tooMany)],
    ["post", "/buy", 400, (client) => client.post("/buy", {})],
    ["post", "/buy", 400, (client) => client.post("/buy", { ...trade, quantity: 0 })],
    ["post", "/buy", 404, (client) => client.post("/buy", { name: "Tux", quantity: 1 })],
    ["post", "/buy", 411, (client) => client.send("POST", "/buy")],
    ["post", "/buy", 413, (client) => client.post("/buy", large)],
    ["post", "/buy", 415, (client) => client.post("/buy", trade, textType)],
    ["post", "/buy", 422, (client) => reuse(client, "/buy")],
    ["get", "/healthz", 200, (client) => client.get("/healthz")],
    ["get", "/readyz", 200, (client) => client.get("/readyz")],
    ["get", "/cluster", 200, (client) => client.get("/cluster")],
    ["get", "/metrics", 200, (client) => client.get("/metrics")],
    ["get", "/openapi.json", 200, (client) => client.get("/openapi.json")],
    ["get", "/", 200, (client) => client.get("/")],
    ["get", "/events", 200, firstEvent],
    ["post", "/faults/kill-leader", 200, (client) => client.post("/faults/kill-leader", {}, own)],
    ["post", "/faults/kill-leader", 403, (client) => client.post("/faults/kill-leader", {}, strange)],
    ["post", "/faults/freeze-leader", 200, (client) => client.post("/faults/freeze-leader", {}, own)],
    ["post", "/faults/freeze-leader", 403, (client) => client.post("/faults/freeze-leader", {}, strange)],
  ];

  /** What an event stream says first; the rest never ends. */
  async function firstEvent(client: TestClient): Promise<Answer> {
    const { headers } = await client.send("HEAD", "/events");
    const events = await client.events();
    const { text } = await events.nextOf("hello");
    await events.close();
    return { status: 200, headers, text, body: undefined };
  }

  async function reuse(client: TestClient, path: string): Promise<Answer> {
    const key = { "idempotency-key": crypto.randomUUID() };
    await client.post(path, trade, key);
    return client.post(path, { ...trade, quantity: 2 }, key);
  }

  function expectDocumented(method: string, path: string, answer: Answer): void {
    const documented = document.paths[path]?.[method]?.responses[answer.status];
    expect(documented, `${method} ${path} ${answer.status}`).toBeDefined();
    const known = new Set(["content-type", "content-length", ...Object.keys(documented?.headers ?? {})]);
    expect(Object.keys(answer.headers).filter((name) => !known.has(name))).toEqual([]);
    if (answer.status === 304) return;
    const type = answer.headers["content-type"] ?? "";
    const value = type === "application/json" ? answer.body : answer.text;
    check([path, method, "responses", String(answer.status), "content", type], value);
    if (answer.status < 400) return;
    const examples = Object.values(documented?.content?.[type]?.examples ?? {});
    expect(examples.map((example) => example.value)).toContainEqual(answer.body);
  }

  test("in order", async () => {
    const client = await createTestClient({ faults });
    await client.post("/orders", trade);
    await client.post("/orders", trade);
    for (const [method, path, status, ask] of rows) {
      const answer = await ask(client);
      expect(answer.status, `${method} ${path}: ${answer.text.slice(0, 200)}`).toBe(status);
      expectDocumented(method, path, answer);
    }
    await client.close();
  });

  test.each(["UNAVAILABLE", "INTERNAL_ERROR"] as const)("when the bazaar answers %s", async (code) => {
    const fail = () => Promise.reject(new BazaarError(code, "no answer"));
    const client = await createTestClient({
      faults,
      changes: { lookup: fail, stocks: fail, trade: fail, order: fail, orders: fail, cluster: fail },
    });
    for (const [method, path, status, ask] of rows.filter(([, , rowStatus]) => rowStatus === 200)) {
      const answer = await ask(client);
      if (answer.status === status) continue;
      expectDocumented(method, path, answer);
    }
    await client.close();
  });

  test("every documented failure is one of those that were tried", async () => {
    const tried = new Set(rows.map(([method, path, status]) => `${method} ${path} ${status}`));
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(operations)) {
        for (const status of Object.keys(responses)) {
          if (status === "500" || status === "503" || status === "304") continue;
          if (path === "/stocksCacheLookup/{name}" && status === "200") continue;
          expect(tried).toContain(`${method} ${path} ${status}`);
        }
      }
    }
  });
});
