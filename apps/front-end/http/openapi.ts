/**
 * The OpenAPI document, made from the routes: their schemas, and each reply with its exact message as an example.
 *
 * hono-openapi walks the app. The descriptions are properties of the handlers, not middleware, which every request
 * would have to pass.
 */

import type { Access } from "@stock-bazaar/contract/access";
import { cacheHeader, requestIdHeader, type ResponseHeaderName, responseHeaders } from "@stock-bazaar/contract/headers";
import { refusalsAt } from "./admission.ts";
import { failureReply } from "@stock-bazaar/contract/schemas";
import { version } from "@stock-bazaar/process/version";
import type { Hono } from "hono";
import { type DescribeRouteOptions, generateSpecs, resolver, uniqueSymbol } from "hono-openapi";
import { type ZodType, z } from "zod";
import type { Failure } from "./failures.ts";
import { jsonType } from "./reply.ts";
import type { ParameterDocs, Route, RouteDocs, SuccessDocs } from "./route.ts";
import type { RouteGroup } from "./routing.ts";

type Responses = NonNullable<DescribeRouteOptions["responses"]>;
type Parameters = NonNullable<DescribeRouteOptions["parameters"]>;

const documentation = {
  openapi: "3.1.0",
  info: {
    title: "Stock Bazaar",
    version,
    description:
      "Look up stocks, trade them, read orders. Every reply has `content-type` and `x-request-id`, and all but the streams " +
      "(`GET /events`, a long `GET /stocks`) have `content-length`; `keep-alive` is the time for which an idle connection " +
      "stays open. A success has one top-level `data`, a failure one top-level `error`. HEAD works where GET does. The " +
      "`x-access` of an operation names its clients: `open` is for everyone, `read` for clients that look at stocks, orders " +
      "and the state of the bazaar, `trade` for clients that buy and sell, `admin` for the people who run the bazaar. If this " +
      "front-end has a file of tokens, every operation but the open ones requires one with that scope, as " +
      "`Authorization: Bearer TOKEN`; the file may also give scopes to requests without a token.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  tags: [
    { name: "Stocks", description: "Prices and quantities" },
    { name: "Orders", description: "Trades and their orders" },
    { name: "Cache", description: "Look into the cache, and drop stocks from it" },
    { name: "Operations", description: "For the people who run the bazaar" },
    {
      name: "Compatibility",
      description: "Routes for the clients of earlier systems; they contradict no other route",
    },
  ],
  components: {
    securitySchemes: {
      bearer: { type: "http" as const, scheme: "bearer", description: "A token that `bazaar token add` has printed" },
    },
    headers: Object.fromEntries(
      Object.entries(responseHeaders).map(([name, description]) => [
        name,
        { description, schema: { type: "string" as const } },
      ]),
    ),
  },
};

/** Makes the document of an app. `about` describes what is particular about its dialect. */
export function openApiDocument(
  app: Hono,
  { name, about }: { readonly name: string; readonly about: string },
): Promise<object> {
  const { title, description } = documentation.info;
  const info = {
    ...documentation.info,
    title: name === "bazaar" ? title : `${title} (${name})`,
    description: `${description} ${about}`,
  };
  return generateSpecs(app, { documentation: { ...documentation, info }, excludeStaticFile: false });
}

/** Attaches the description of all routes in a group to their common handler. */
export function described<Handler extends object>(handler: Handler, group: RouteGroup): Handler {
  const routes = group.filter(isDocumented);
  const docs = routes.map((route) => route.docs);
  const [first] = docs;
  if (first === undefined) return handler;
  const body = docs.find((entry) => entry.body !== undefined)?.body;
  const parameters = docs.flatMap((entry) => entry.parameters ?? []);
  const byName = new Map(parameters.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
  const { access } = group[0];
  const spec: DescribeRouteOptions & { "x-access": Access } = {
    "x-access": access,
    // The empty alternative: without a file of tokens no operation requires one.
    security: access === "open" ? [] : [{ bearer: [access] }, {}],
    tags: [...new Set(docs.map(({ tag }) => tag))],
    summary: first.summary,
    description: [first.description, ...docs.slice(1).map(({ summary }) => `Also: ${summary}.`)]
      .filter((part) => part !== undefined)
      .join(" "),
    parameters: [...byName.values()].map(describeParameter),
    responses: describeResponses(routes),
  };
  if (spec.description === "") delete spec.description;
  if (first.operationId !== undefined) spec.operationId = first.operationId;
  if (body !== undefined) {
    const content = { [jsonType]: { schema: resolver(body.schema), example: body.example } };
    spec.requestBody = { required: true, content };
  }
  return Object.assign(handler, { [uniqueSymbol]: { spec } });
}

type DocumentedRoute = Route & { readonly docs: RouteDocs };

function isDocumented(route: Route): route is DocumentedRoute {
  return route.docs !== undefined;
}

function describeParameter(parameter: ParameterDocs): Parameters[number] {
  const { schema = z.string(), example } = parameter;
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io: "output" });
  return {
    in: parameter.in,
    name: parameter.name,
    description: parameter.description,
    required: parameter.in === "path",
    schema: jsonSchema as Parameters[number] extends { schema?: infer Schema } ? Schema : never,
    ...(example === undefined ? {} : { example }),
  };
}

function describeResponses(routes: readonly DocumentedRoute[]): Responses {
  const successes = routes.map(({ docs }) => docs.success);
  const own = routes.flatMap(({ docs, outage }) =>
    docs.alwaysAnswers ? docs.failures : [...docs.failures, outage.unavailable, outage.internal],
  );
  const failures = [...own, ...routes.flatMap(({ access, reword }) => refusalsAt(access, reword))];
  const inBody = failures.filter(({ status }) => status === 200);
  const responses: Responses = { 200: describeSuccess(successes, inBody) };
  if (successes.some(({ conditional }) => conditional)) {
    responses[304] = {
      description: "The stock still has the `ETag` that `If-None-Match` names",
      headers: headerReferences(["etag", cacheHeader]),
    };
  }
  // A refused lookup also has `x-cache`, a refused trade also `idempotent-replayed`.
  const headers = successes.flatMap((success) => success.headers ?? []).filter((name) => name !== "etag");
  const handlerHeaders = routes.flatMap(({ outage }) => outage.handlerHeaders ?? []);
  for (const status of new Set(failures.map((failure) => failure.status).filter((code) => code !== 200))) {
    responses[status] = describeFailures(
      failures.filter((failure) => failure.status === status),
      status >= 500 ? handlerHeaders : headers,
    );
  }
  return responses;
}

/** `failures` are those of a dialect that replies to failures with status 200: only the body shows them. */
function describeSuccess(successes: readonly SuccessDocs[], failures: readonly Failure[]): Responses[string] {
  const content: Record<string, object> = {};
  for (const contentType of new Set(successes.map((success) => success.contentType))) {
    const ofType = successes.filter((success) => success.contentType === contentType);
    const inBody = contentType === jsonType ? failures : [];
    const schemas = ofType.map(({ schema = z.string() }) => schema);
    const examples = ofType.map(({ description, example }) => [exampleName(description), { value: example }]);
    content[contentType] = {
      schema: resolver(eitherOf(inBody.length === 0 ? schemas : [...schemas, failureReply])),
      examples: Object.fromEntries([...examples, ...failureExamples(inBody)]),
    };
  }
  const messages = new Set(failures.map(({ message }) => message));
  return {
    description: [...successes.map(({ description }) => description), ...messages].join("; "),
    headers: headerReferences(successes.flatMap(({ headers = [] }) => headers)),
    content,
  };
}

function failureExamples(failures: readonly Failure[]): [string, object][] {
  const messages = new Map(failures.map((failure) => [failure.message, failure]));
  return [...messages.values()].map(({ code, reason, message }) => [
    exampleName(message),
    { summary: message, value: { error: { code, message, reason } } },
  ]);
}

function describeFailures(failures: readonly Failure[], headers: readonly ResponseHeaderName[]): Responses[string] {
  const messages = new Set(failures.map(({ message }) => message));
  const own = failures.flatMap((failure) => Object.keys(failure.headers ?? {}) as ResponseHeaderName[]);
  return {
    description: [...messages].join("; "),
    headers: headerReferences([...own, ...headers]),
    content: {
      [jsonType]: { schema: resolver(failureReply), examples: Object.fromEntries(failureExamples(failures)) },
    },
  };
}

function headerReferences(names: readonly ResponseHeaderName[]) {
  const all: ResponseHeaderName[] = [requestIdHeader, ...names];
  return Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function eitherOf(schemas: readonly ZodType[]): ZodType {
  const [first = z.string(), ...others] = schemas;
  return others.length === 0 ? first : z.union([first, ...others]);
}

function exampleName(words: string): string {
  return words.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "");
}
