/** The OpenAPI document as the app serves it, and its schemas at work. */

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import type { TestClient } from "./client.ts";

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Documented>>;
  readonly requestBody?: { readonly content: Content };
}
export interface Parameter {
  readonly in: "path" | "query" | "header";
  readonly name: string;
  readonly required: boolean;
  readonly example?: string | number;
}
export interface Documented {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}
export type Content = Readonly<
  Record<
    string,
    { readonly example?: unknown; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }
  >
>;
export interface OpenApi {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface TestDocument {
  readonly document: OpenApi;
  /** Checks a value against the schema that the document has for a body. */
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

export interface DocumentedOperation extends Operation {
  readonly method: string;
  readonly path: string;
}

export function operationsOf(document: OpenApi): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ ...operation, method, path })),
  );
}
