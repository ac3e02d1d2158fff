/** The request that a viewer sends for an operation when nothing was filled in: every example, and nothing else. */

import type { DocumentedOperation } from "./document-types.ts";
import { jsonType } from "./reply.ts";

export interface ExampleRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON as people write it; absent for a request that has none. */
  readonly body: string | undefined;
}

export function exampleRequest({ method, path, parameters = [], requestBody }: DocumentedOperation): ExampleRequest {
  const given = parameters.flatMap((parameter) =>
    parameter.example === undefined ? [] : [{ ...parameter, value: String(parameter.example) }],
  );
  const filled = given
    .filter((parameter) => parameter.in === "path")
    .reduce((url, { name, value }) => url.replace(`{${name}}`, encodeURIComponent(value)), path);
  const query = given
    .filter((parameter) => parameter.in === "query")
    .map(({ name, value }) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
  const headers = given.filter((parameter) => parameter.in === "header").map(({ name, value }) => [name, value]);
  const example = requestBody?.content[jsonType]?.example;
  return {
    method: method.toUpperCase(),
    path: query === "" ? filled : `${filled}?${query}`,
    headers: Object.fromEntries(example === undefined ? headers : [["Content-Type", jsonType], ...headers]),
    body: example === undefined ? undefined : JSON.stringify(example, undefined, 2),
  };
}
