/**
 * The OpenAPI document, made from the routes themselves: their schemas, and each reply with its exact message
 * as an example. hono-openapi walks the app; the descriptions ride on the handlers instead of coming as
 * middleware, which every request would have to pass through.
 */

import type { Access } from "@stock-bazaar/contract/access";
import { cacheHeader, requestIdHeader, type ResponseHeaderName, responseHeaders } from "@stock-bazaar/contract/headers";
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
      "Look up stocks, trade them, read the orders. Every reply carries `content-type` and `x-request-id`, and all but the " +
      "streams (`GET /events`, a long `GET /stocks`) `content-length`; `keep-alive` tells for how long an idle connection " +
      "stays open. A success has one top-level `data`, a failure one top-level `error`. HEAD works where GET does. " +
      "`x-access` of an operation says who it is for: `open` is for everyone, `read` for clients that look at stocks, orders " +
      "and the bazaar's state, `trade` for clients that buy and sell, `admin` for the people who run the bazaar. No route " +
      "asks for a token: every request is let in.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  // Said, not left out: nobody has to log in. Who may use what stands in `x-access` of each operation.
  security: [],
  tags: [
    { name: "Stocks", description: "Prices and quantities" },
    { name: "Orders", description: "Trades and what became of them" },
    { name: "Cache", description: "The cache, seen from outside" },
    { name: "Operations", description: "For whoever runs the bazaar" },
    {
      name: "Compatibility",
      description: "Routes of earlier systems that contradict no other route, for their clients",
    },
  ],
  components: {
    headers: Object.fromEntries(
      Object.entries(responseHeaders).map(([name, description]) => [
        name,
        { description, schema: { type: "string" as const } },
      ]),
    ),
  },
};

/** `about`: what is particular about the dialect. */
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

/** Describes the handler of all the routes that share one method and path. */
export function described<Handler extends object>(handler: Handler, group: RouteGroup): Handler {
  const routes = group.filter(isDocumented);
  const docs = routes.map((route) => route.docs);
  const [first] = docs;
  if (first === undefined) return handler;
  const body = docs.find((entry) => entry.body !== undefined)?.body;
  const parameters = docs.flatMap((entry) => entry.parameters ?? []);
  const byName = new Map(parameters.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
  const spec: DescribeRouteOptions & { "x-access": Access } = {
    "x-access": group[0].access,
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
  const failures = routes.flatMap(({ docs, outage }) =>
    docs.alwaysAnswers ? docs.failures : [...docs.failures, outage.unavailable, outage.internal],
  );
  const inBody = failures.filter(({ status }) => status === 200);
  const responses: Responses = { 200: describeSuccess(successes, inBody) };
  if (successes.some(({ conditional }) => conditional)) {
    responses[304] = {
      description: "The client has it already (`If-None-Match`)",
      headers: headerReferences(["etag", cacheHeader]),
    };
  }
  // A refused lookup also says where it was looked up, a refused trade also that it is a repetition.
  const headers = successes.flatMap((success) => success.headers ?? []).filter((name) => name !== "etag");
  const told = routes.flatMap(({ outage }) => outage.told ?? []);
  for (const status of new Set(failures.map((failure) => failure.status).filter((code) => code !== 200))) {
    responses[status] = describeFailures(
      failures.filter((failure) => failure.status === status),
      status >= 500 ? told : headers,
    );
  }
  return responses;
}

/** `failures`: those of a dialect that replies with 200 whatever became of a request, and says so in the body. */
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
