/** The request that a viewer sends for an operation when nothing was filled in: every example, and nothing else. */

import type { DocumentedOperation } from "./document.ts";

export interface ExampleRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: unknown;
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
  return {
    method: method.toUpperCase(),
    path: query === "" ? filled : `${filled}?${query}`,
    headers: Object.fromEntries(
      given.filter((parameter) => parameter.in === "header").map(({ name, value }) => [name, value]),
    ),
    body: requestBody?.content["application/json"]?.example,
  };
}
