/**
 * The example requests of the OpenAPI document, ready to send: an `.http` file for editors, and a collection for
 * Postman. Both are made from the document, so they contain exactly the routes that exist.
 */

import { type OpenApi, operationsOf } from "./document-types.ts";
import { type ExampleRequest, exampleRequests } from "./example-request.ts";

const defaultUrl = "http://127.0.0.1:8080";

/** For the HTTP clients of VS Code, JetBrains, Neovim and others. */
export function httpFile(document: OpenApi): string {
  const parts = byTag(document).flatMap(([tag, requests]) => requests.map((request) => httpRequest(tag, request)));
  const opening =
    "# Made by `npm run generate` from /openapi.json. Order 1 exists after the first trade,\n# and a stock is in the cache after a lookup that follows its last trade.";
  return [`${opening}\n\n@url = ${defaultUrl}\n`, ...parts].join("\n");
}

function httpRequest(tag: string, { id, title, access, method, path, headers, body }: ExampleRequest): string {
  const lines = [
    `### ${tag}: ${title}`,
    `# x-access: ${access}`,
    `# @name ${id}`,
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
    item: byTag(document).map(([name, requests]) => ({ name, item: requests.map(postmanItem) })),
  };
}

function postmanItem({ title, access, method, path, headers, body }: ExampleRequest): object {
  const [pathname = "", query] = path.split("?");
  return {
    name: title,
    request: {
      description: `x-access: ${access}`,
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

function byTag(document: OpenApi): [tag: string, requests: ExampleRequest[]][] {
  const operations = operationsOf(document);
  return document.tags
    .map(({ name }): [string, ExampleRequest[]] => [
      name,
      operations.filter(({ tags }) => tags[0] === name).flatMap(exampleRequests),
    ])
    .filter(([, requests]) => requests.length > 0);
}
