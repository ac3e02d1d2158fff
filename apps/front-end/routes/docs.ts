/**
 * The API reference for people: Swagger UI, served from its installed package, so that it works without the internet
 * and under a policy that allows no other source. Each file is read when it is requested: until then it costs neither
 * time at the start nor memory.
 */

import { operationsOutage } from "../http/failures.ts";
import { pageHeaderNames, pageHeaders } from "../http/page-headers.ts";
import { Reply } from "../http/reply.ts";
import { matchesTag } from "../http/request.ts";
import type { Route } from "../http/route.ts";

const htmlType = "text/html; charset=utf-8";
const scriptType = "text/javascript; charset=utf-8";
const styleType = "text/css; charset=utf-8";

/** The icons in Swagger UI's style sheet are `data:` images. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Stock Bazaar: the API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <noscript>This page needs JavaScript. The document as JSON is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <div id="api"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl` is null because the viewer would otherwise call a service on the internet. */
const start = `"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  showExtensions: true,
  validatorUrl: null,
});
`;

export function docsRoutes(): Route[] {
  const shown = new Reply(200, htmlType, page, pageHeaders(policy));
  const started = new Reply(200, scriptType, start);
  return [
    {
      method: "GET",
      path: "/docs",
      access: "open",
      handle: () => shown,
      outage: operationsOutage,
      docs: {
        tag: "Operations",
        operationId: "readDocs",
        summary: "This document as a page that can send each request",
        alwaysAnswers: true,
        success: {
          description: "The page",
          contentType: htmlType,
          example: "<!doctype html>…",
          headers: pageHeaderNames,
        },
        failures: [],
      },
    },
    { method: "GET", path: "/docs/start.js", access: "open", handle: () => started, outage: operationsOutage },
    viewerFile("swagger-ui-bundle.js", scriptType),
    viewerFile("swagger-ui.css", styleType),
  ];
}

/** A file of the viewer. Browsers keep it, and revalidate it by its tag. */
function viewerFile(name: string, contentType: string): Route {
  return {
    method: "GET",
    path: `/docs/${name}`,
    access: "open",
    async handle(context) {
      const file = Bun.file(new URL(import.meta.resolve(`swagger-ui-dist/${name}`)));
      const { mtimeMs, size } = await file.stat();
      const tag = `"${Math.trunc(mtimeMs).toString(36)}-${size.toString(36)}"`;
      const headers = { etag: tag, "cache-control": "no-cache" };
      if (matchesTag(context.req.raw.headers.get("if-none-match"), tag)) {
        return new Reply(304, contentType, "", headers, String(size));
      }
      return new Reply(200, contentType, await file.text(), headers);
    },
    outage: operationsOutage,
  };
}
