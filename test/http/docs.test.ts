/** The page of the API reference needs only this server, and every example in it works unchanged. */

import { runInNewContext } from "node:vm";
import { operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { exampleRequest } from "@stock-bazaar/front-end/http/example-request";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClient, type TestClient } from "./support/client.ts";
import { readDocument } from "./support/document.ts";

let client: TestClient;
beforeAll(async () => {
  client = await createTestClient();
});
afterAll(() => client.close());

describe("GET /docs", () => {
  const references = (html: string) => [...html.matchAll(/\s(?:src|href)="([^"]*)"/g)].map(([, url = ""]) => url);

  test("loads only files of this server, and they all exist", async () => {
    const page = await client.get("/docs");
    const urls = references(page.text).filter((url) => url !== "data:,");
    expect(urls).toHaveLength(4);
    for (const url of urls) {
      expect(url).toMatch(/^\/[a-z]/);
      expect((await client.get(url)).status, url).toBe(200);
    }
  });

  test("allows no other source", async () => {
    const { headers, text } = await client.get("/docs");
    const policy = headers["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    // The policy would block them.
    expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script>/);
  });

  test("starts the viewer on the document", async () => {
    const started: { url?: string; dom_id?: string; validatorUrl?: null }[] = [];
    const { text } = await client.get("/docs/start.js");
    runInNewContext(text, { SwaggerUIBundle: (options: object) => started.push(options) });
    const [options = {}] = started;
    expect(options.validatorUrl).toBeNull();
    expect((await client.get(options.url ?? "")).body).toHaveProperty("openapi");
    expect((await client.get("/docs")).text).toContain(`id="${options.dom_id?.slice(1)}"`);
  });

  test.each([
    ["/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8", "SwaggerUIBundle"],
    ["/docs/swagger-ui.css", "text/css; charset=utf-8", ".swagger-ui"],
  ])("%s is kept by browsers, and revalidated", async (path, type, part) => {
    const first = await client.get(path);
    expect(first.headers["content-type"]).toBe(type);
    expect(first.headers["cache-control"]).toBe("no-cache");
    expect(first.text).toContain(part);
    const again = await client.get(path, { "if-none-match": first.headers.etag ?? "" });
    expect(again.status).toBe(304);
    expect(again.headers["content-length"]).toBe(first.headers["content-length"]);
    expect((await client.get(path, { "if-none-match": '"other"' })).status).toBe(200);
  });
});

test("every example works unchanged, once there is an order", async () => {
  const { document } = await readDocument(client);
  expect((await client.post("/orders", { name: "GameStart", quantity: 1, type: "buy" })).status).toBe(200);
  // The cache must have the stock that one of the examples looks up there.
  expect((await client.get("/stocks/GameStart")).status).toBe(200);
  // Reads first: a trade or an invalidation evicts the stock that one of them reads from the cache.
  const isRead = (id: string) => /^(read|lookUp|list)/.test(id);
  const operations = operationsOf(document).sort(
    (a, b) => Number(isRead(b.operationId)) - Number(isRead(a.operationId)),
  );
  for (const operation of operations) {
    const { path, headers, body, ...request } = exampleRequest(operation);
    // A stream of events never ends, so only its head is requested.
    const method = operation.responses[200]?.content?.["text/event-stream"] ? "HEAD" : request.method;
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const answer = await client.send(method, path, { headers: { ...headers, ...length }, ...(body ? { body } : {}) });
    expect(answer.status, `${method} ${path}: ${answer.text.slice(0, 200)}`).toBe(200);
  }
});
