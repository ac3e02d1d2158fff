/**
 * Every reply is documented, to the letter, and every documented reply occurs: each status and each failure's message
 * is received here at least once.
 */

import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { guarded } from "@stock-bazaar/front-end/http/admission";
import { RateLimit } from "@stock-bazaar/front-end/http/rate-limit";
import { Tokens } from "@stock-bazaar/front-end/http/tokens";
import { hashOfToken } from "@stock-bazaar/process/token-file";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, createTestClient, type TestClient } from "./support/client.ts";
import { readDocument, type TestDocument } from "./support/document.ts";

let client: TestClient;
let document: OpenApi;
let check: TestDocument["check"];
beforeAll(async () => {
  client = await createTestClient({ faults });
  ({ document, check } = await readDocument(client));
  // Orders 1 and 2.
  await client.post("/orders", trade);
  await client.post("/orders", trade);
});
afterAll(() => client.close());

/** A supervisor that accepts faults, so that their routes exist. */
const faults = { host: "localhost", inject: async () => true };
const own = { host: "localhost" };
const strange = { ...own, origin: "http://evil.example" };
const trade = { name: "GameStart", quantity: 1, type: "buy" };
const tooMany = { ...trade, quantity: 2_147_483_647 };
const large = { ...trade, name: "x".repeat(70_000) };
const textType = { "content-type": "text/plain" };
type Ask = (client: TestClient) => Promise<Answer>;

/** A request of each operation, and the status that its reply must have. */
const rows: [method: string, path: string, status: number, ask: Ask][] = [
  ["get", "/stocks/{name}", 200, (client) => client.get("/stocks/GameStart")],
  ["get", "/stocks/{name}", 304, (client) => client.get("/stocks/GameStart", { "if-none-match": "*" })],
  ["get", "/stocks/{name}", 404, (client) => client.get("/stocks/Nope")],
  ["get", "/stocks/{name}", 400, (client) => client.get("/stocks/")],
  ["get", "/stocks", 200, (client) => client.get("/stocks")],
  ["get", "/stocks", 200, (client) => client.get("/stocks?limit=1")],
  ["get", "/stocks", 400, (client) => client.get("/stocks?limit=0")],
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
  ["get", "/stocksCacheLookup/{name}", 200, (client) => lookUpCached(client)],
  ["get", "/stocksCacheLookup/{name}", 304, (client) => lookUpCached(client, { "if-none-match": "*" })],
  ["get", "/stocksCacheLookup/{name}", 404, (client) => client.get("/stocksCacheLookup/Nope")],
  ["get", "/stocksCacheLookup/{name}", 400, (client) => client.get("/stocksCacheLookup/")],
  ["get", "/hello", 200, (client) => client.get("/hello")],
  ["get", "/stock/{name}", 200, (client) => client.get("/stock/GameStart")],
  ["get", "/stock/{name}", 304, (client) => client.get("/stock/GameStart", { "if-none-match": "*" })],
  ["get", "/stock/{name}", 400, (client) => client.get("/stock/Unknown")],
  ["get", "/stock/{name}", 400, (client) => client.get("/stock/")],
  ["post", "/order", 200, (client) => client.post("/order", trade)],
  ["post", "/order", 400, (client) => client.post("/order", { ...trade, name: "Unknown" })],
  ["post", "/order", 400, (client) => client.post("/order", [])],
  ["post", "/order", 400, (client) => client.post("/order", { ...trade, quantity: 0 })],
  ["post", "/order", 400, (client) => client.post("/order", { ...trade, type: "hold" })],
  ["post", "/order", 400, (client) => client.post("/order", trade, { "idempotency-key": "" })],
  ["post", "/order", 500, (client) => client.post("/order", tooMany)],
  ["post", "/order", 413, (client) => client.post("/order", large)],
  ["post", "/order", 422, (client) => reuse(client, "/order")],
  ["get", "/get_order_leader", 200, (client) => client.get("/get_order_leader")],
  ["get", "/cache_invalid/{name}", 200, (client) => client.get("/cache_invalid/GameStart")],
  ["get", "/cache_invalid/{name}", 400, (client) => client.get("/cache_invalid/")],
  ["get", "/products/{name}", 200, (client) => client.get("/products/GameStart")],
  ["get", "/products/{name}", 304, (client) => client.get("/products/GameStart", { "if-none-match": "*" })],
  ["get", "/products/{name}", 404, (client) => client.get("/products/Nope")],
  ["get", "/products/{name}", 400, (client) => client.get("/products/")],
  ["post", "/buy", 200, (client) => client.post("/buy", trade)],
  ["post", "/buy", 200, (client) => client.post("/buy", tooMany)],
  ["post", "/buy", 400, (client) => client.post("/buy", {})],
  ["post", "/buy", 400, (client) => client.post("/buy", { ...trade, quantity: 0 })],
  ["post", "/buy", 400, (client) => client.post("/buy", trade, { "idempotency-key": "" })],
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
  ["get", "/docs", 200, (client) => client.get("/docs")],
  ["get", "/", 200, (client) => client.get("/")],
  ["get", "/events", 200, firstEvent],
  ["get", "/events", 400, (client) => client.get("/events?limit=0")],
  ["post", "/faults/kill-leader", 200, (client) => client.post("/faults/kill-leader", {}, own)],
  ["post", "/faults/kill-leader", 403, (client) => client.post("/faults/kill-leader", {}, strange)],
  ["post", "/faults/freeze-leader", 200, (client) => client.post("/faults/freeze-leader", {}, own)],
  ["post", "/faults/freeze-leader", 403, (client) => client.post("/faults/freeze-leader", {}, strange)],
  ["post", "/faults/kill-catalog", 200, (client) => client.post("/faults/kill-catalog", {}, own)],
  ["post", "/faults/kill-catalog", 403, (client) => client.post("/faults/kill-catalog", {}, strange)],
  ["post", "/faults/freeze-catalog", 200, (client) => client.post("/faults/freeze-catalog", {}, own)],
  ["post", "/faults/freeze-catalog", 403, (client) => client.post("/faults/freeze-catalog", {}, strange)],
];

/** Returns the first event as the answer: a stream never ends. */
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

/** Looks the stock up in the cache, after a lookup that puts it there. */
async function lookUpCached(asked: TestClient, headers: Record<string, string> = {}): Promise<Answer> {
  expect((await client.get("/stocks/GameStart")).status).toBe(200);
  return asked.get("/stocksCacheLookup/GameStart", headers);
}

/** The documented replies that were received: the status, and the whole body of a failure. */
const seen = new Set<string>();
const replyName = (method: string, path: string, status: number | string, failure?: unknown) =>
  `${method} ${path} ${status}${failure === undefined ? "" : ` ${JSON.stringify(failure)}`}`;

function expectDocumented(method: string, path: string, answer: Answer): void {
  const documented = document.paths[path]?.[method]?.responses[answer.status];
  expect(documented, `${method} ${path} ${answer.status}`).toBeDefined();
  const known = new Set(["content-type", "content-length", ...Object.keys(documented?.headers ?? {})]);
  expect(Object.keys(answer.headers).filter((name) => !known.has(name))).toEqual([]);
  if (answer.status >= 400) seen.add(replyName(method, path, answer.status, answer.body));
  else seen.add(replyName(method, path, answer.status));
  if (answer.status === 304) return;
  const type = answer.headers["content-type"] ?? "";
  const value = type === "application/json" ? answer.body : answer.text;
  check([path, method, "responses", String(answer.status), "content", type], value);
  if (answer.status < 400) return;
  const examples = Object.values(documented?.content?.[type]?.examples ?? {});
  expect(examples.map((example) => example.value)).toContainEqual(answer.body);
}

test.each(rows)("%s %s: %i", async (method, path, status, ask) => {
  const answer = await ask(client);
  expect(answer.status, answer.text.slice(0, 200)).toBe(status);
  expectDocumented(method, path, answer);
});

test.each(["UNAVAILABLE", "INTERNAL_ERROR"] as const)("if the bazaar fails with %s", async (code) => {
  const fail = () => Promise.reject(new BazaarError(code, "no answer"));
  const failing = client.beside({
    faults,
    changes: { lookup: fail, stocks: fail, trade: fail, order: fail, orders: fail, cluster: fail },
  });
  for (const [method, path, status, ask] of rows.filter(([, , rowStatus]) => rowStatus === 200)) {
    const answer = await ask(failing);
    if (answer.status === status) continue;
    expectDocumented(method, path, answer);
  }
});

test.each([
  ["the catalog is away", { leader: 3, catalog: { state: "away" as const, head: undefined } }],
  ["the catalog refuses everything", { leader: 3, catalog: { state: "refusing" as const, head: undefined } }],
  ["the catalog can't write", { leader: 3, catalog: { state: "read-only" as const, head: 1, problem: "locked" } }],
  ["no replica leads", { leader: 0 }],
  ["a service uses another version", { leader: 0, otherVersion: true }],
])("when %s", async (_, change) => {
  const state = await client.bazaar.cluster();
  const partly = client.beside({ faults, changes: { cluster: async () => ({ ...state, ...change }) } });
  expectDocumented("get", "/readyz", await partly.get("/readyz"));
  for (const path of ["leader", "catalog"].flatMap((name) => [`/faults/kill-${name}`, `/faults/freeze-${name}`]))
    expectDocumented("post", path, await partly.post(path, {}, own));
});

test("when the front-end is stopping", async () => {
  const stopping = client.beside({ stopping: AbortSignal.abort() });
  expectDocumented("get", "/readyz", await stopping.get("/readyz"));
});

test.each(["/orders", "/order", "/buy"])("POST %s of a stock whose volume is full", async (path) => {
  const full = client.beside({ changes: { trade: async () => ({ status: "volume-full" }) } });
  expectDocumented("post", path, await full.post(path, trade));
});

test.each([
  ["without a token", {}],
  ["with an unknown token", { authorization: "Bearer unknown" }],
  ["with a token that has no scope", { authorization: "Bearer powerless" }],
])("%s", async (_, headers) => {
  const sha256 = hashOfToken("powerless").toString("hex");
  const known = new Tokens({ anonymous: [], tokens: [{ name: "powerless", sha256, scopes: [] }] });
  const guarded = client.beside({ faults, tokens: () => known });
  for (const { method, path, "x-access": access } of operationsOf(document)) {
    if (access === "open") continue;
    const answer = await guarded.send(method.toUpperCase(), path.replace("{number}", "1"), { headers });
    expect([401, 403]).toContain(answer.status);
    expectDocumented(method, path, answer);
  }
});

test("above a limit", async () => {
  const limit = new RateLimit("requests", 1);
  limit.take("from ", 0);
  const limited = client.beside({ faults, admit: guarded({ limits: { trades: limit, reads: limit } }, () => 0) });
  for (const { method, path, "x-access": access } of operationsOf(document)) {
    if (access === "open") continue;
    const answer = await limited.send(method.toUpperCase(), path.replace("{number}", "1"));
    expect(answer.status).toBe(429);
    expectDocumented(method, path, answer);
  }
});

test("while too many requests are under way", async () => {
  const busy = client.beside({ faults, requestsMax: 0 });
  for (const { method, path, "x-access": access } of operationsOf(document)) {
    if (access === "open") continue;
    const answer = await busy.send(method.toUpperCase(), path.replace("{number}", "1"));
    expect(answer.status).toBe(503);
    expectDocumented(method, path, answer);
  }
});

test("every documented reply was received above", () => {
  const documented = operationsOf(document).flatMap(({ method, path, responses }) =>
    Object.entries(responses).flatMap(([status, { content }]) => {
      if (Number(status) < 400) return [replyName(method, path, status)];
      const examples = Object.values(content?.["application/json"]?.examples ?? {});
      return examples.map(({ value }) => replyName(method, path, status, value));
    }),
  );
  expect(documented.filter((reply) => !seen.has(reply))).toEqual([]);
});
