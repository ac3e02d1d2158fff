/**
 * Every request of the OpenAPI document, ready to send: as an `.http` file for editors, and as a collection for
 * Postman. Made from the document, so that neither can name a route that isn't there or forget one that is.
 */

import { type DocumentedOperation, type OpenApi, operationsOf } from "./document-types.ts";
import { exampleRequest } from "./example-request.ts";

const defaultUrl = "http://127.0.0.1:8080";

/** For the HTTP clients of VS Code, JetBrains, Neovim and others. */
export function httpFile(document: OpenApi): string {
  const parts = byTag(document).flatMap(([tag, operations]) =>
    operations.map((operation) => httpRequest(tag, operation)),
  );
  const opening = "# Made by `npm run generate` from /openapi.json. Order 1 is there once something was traded.";
  return [`${opening}\n\n@url = ${defaultUrl}\n`, ...parts].join("\n");
}

function httpRequest(tag: string, operation: DocumentedOperation): string {
  const { method, path, headers, body } = exampleRequest(operation);
  const lines = [
    `### ${tag}: ${operation.summary}`,
    `# @name ${operation.operationId}`,
    `${method} {{url}}${path}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\n")}\n${body === undefined ? "" : `\n${body}\n`}`;
}

/** In Postman's format 2.1, a folder for each tag. */
export function postmanCollection(document: OpenApi): object {
  return {
    info: {
      name: document.info.title,
      description: document.info.description,
      schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    variable: [{ key: "url", value: defaultUrl }],
    item: byTag(document).map(([name, operations]) => ({ name, item: operations.map(postmanItem) })),
  };
}

function postmanItem(operation: DocumentedOperation): object {
  const { method, path, headers, body } = exampleRequest(operation);
  const [pathname = "", query] = path.split("?");
  return {
    name: operation.summary,
    request: {
      method,
      header: Object.entries(headers).map(([key, value]) => ({ key, value })),
      url: {
        raw: `{{url}}${path}`,
        host: ["{{url}}"],
        path: pathname.split("/").slice(1),
        ...(query === undefined
          ? {}
          : { query: [...new URLSearchParams(query)].map(([key, value]) => ({ key, value })) }),
      },
      ...(body === undefined ? {} : { body: { mode: "raw", raw: body, options: { raw: { language: "json" } } } }),
    },
  };
}

function byTag(document: OpenApi): [tag: string, operations: DocumentedOperation[]][] {
  const operations = operationsOf(document);
  return document.tags.map(({ name }) => [name, operations.filter(({ tags }) => tags[0] === name)]);
}
