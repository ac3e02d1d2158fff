/** The OpenAPI document that the app serves, and checks by its schemas. */

import type { OpenApi } from "@stock-bazaar/front-end/http/document-types";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import type { TestClient } from "./client.ts";

export interface TestDocument {
  readonly document: OpenApi;
  /** Checks a value by the schema of a body in the document. */
  check(pointer: readonly string[], value: unknown): void;
}

export async function readDocument(client: TestClient): Promise<TestDocument> {
  const document = (await client.get("/openapi.json")).body as OpenApi;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(document, "document");
  return {
    document,
    check(pointer, value) {
      const validate = ajv.compile({
        $ref: `document#/paths/${pointer.map(escaped).map(encodeURIComponent).join("/")}/schema`,
      });
      const isValid = validate(value);
      expect(isValid, `${pointer.join(" ")}: ${JSON.stringify(validate.errors)} ${JSON.stringify(value)}`).toBe(true);
    },
  };
}

const escaped = (segment: string) => segment.replaceAll("~", "~0").replaceAll("/", "~1");
