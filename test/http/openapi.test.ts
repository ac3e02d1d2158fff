/** The OpenAPI document is valid, passes a linter, and names every route. */

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type OpenApi, operationsOf } from "@stock-bazaar/front-end/http/document-types";
import { beforeAll, expect, test } from "vitest";
import { createTestClient } from "./support/client.ts";
import { readDocument, type TestDocument } from "./support/document.ts";

/** A supervisor that accepts faults, so that their routes exist. */
const faults = { host: "localhost", inject: async () => true };
let document: OpenApi;
let check: TestDocument["check"];
beforeAll(async () => {
  const client = await createTestClient({ faults });
  ({ document, check } = await readDocument(client));
  await client.close();
});

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const result = await validator.validate({ ...structuredClone(document) });
  expect(result.errors).toBeUndefined();
  expect(result.valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("a linter reports nothing", async () => {
  const config = await createConfig({
    extends: ["recommended-strict"],
    rules: {
      "operation-operationId": "error",
      "operation-parameters-unique": "error",
      "no-unused-components": "error",
      // Some routes have no input, so their requests can't be wrong.
      "operation-4xx-response": "off",
    },
  });
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: "/openapi.json", config });
  expect(problems.map(({ ruleId, message, location: [at] }) => `${ruleId}: ${message} ${at?.pointer}`)).toEqual([]);
});

test("it names every route and no other", () => {
  const routes = operationsOf(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
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
      "GET /docs",
      "GET /",
      "GET /events",
      "POST /faults/kill-leader",
      "POST /faults/freeze-leader",
      "POST /faults/kill-catalog",
      "POST /faults/freeze-catalog",
    ].toSorted(),
  );
});

test("every example fits its schema, and every reply has one", () => {
  for (const { method, path, responses, requestBody } of operationsOf(document)) {
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
});
