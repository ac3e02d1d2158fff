/**
 * The front-end's HTTP, without a socket: `createApp` makes a Hono app from the routes and never listens.
 *
 * There is no middleware. One function stands around every route and gives each reply the same three things: a
 * request id, an answer even when something throws, and a place in the latency histogram. Only what the cache
 * answers goes past both of them, in `routes/cached-lookup.ts`.
 */

import { systemClock } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import { type Context, Hono } from "hono";
import type { Bazaar } from "./bazaar.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { dialects } from "./dialects/index.ts";
import { EventFeed } from "./events/event-feed.ts";
import type { Faults } from "./faults.ts";
import { type Failure, keyReused, operationsOutage, type Outage, Unanswered } from "./http/failures.ts";
import type { RouteTimer } from "./http/latency.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { described, openApiDocument } from "./http/openapi.ts";
import { json, type Reply, StreamReply } from "./http/reply.ts";
import { requestIdOf } from "./http/request.ts";
import { type LogRequest, requestLog } from "./http/request-log.ts";
import { type Handle, jsonDocs, pathTemplate, type Route } from "./http/route.ts";
import { groupRoutes, handleOf, incomplete, parentOf, pathOf } from "./http/routing.ts";
import { documentReply } from "@stock-bazaar/contract/schemas";
import type { WrapRoute } from "./http/traced.ts";
import { cachedLookup, cachedRoute } from "./routes/cached-lookup.ts";
import { dashboardRoutes } from "./routes/dashboard.ts";
import { docsRoutes } from "./routes/docs.ts";
import { operationsRoutes } from "./routes/operations.ts";

export interface AppDependencies {
  readonly bazaar: Bazaar;
  readonly logger: Logger;
  /** Absent: the contract's own. */
  readonly dialect?: Dialect;
  readonly wrapRoute?: WrapRoute;
  readonly metrics?: Metrics;
  /** Absent: a feed of its own, which works while somebody listens. */
  readonly events?: EventFeed;
  /** Absent: nobody may kill anything from here. */
  readonly faults?: Faults | undefined;
}

/** What the dashboard hears, of this bazaar. */
export function createEventFeed(deps: { bazaar: Bazaar; metrics: Metrics; faults: Faults | undefined }): EventFeed {
  const { bazaar, metrics, faults } = deps;
  return new EventFeed({
    bazaar,
    tradeLatencies: () => metrics.tradeLatencies(),
    clock: systemClock,
    faults: faults !== undefined,
  });
}

const methods = ["GET", "POST"] as const;

export function createApp({ bazaar, logger, faults, wrapRoute, ...given }: AppDependencies): Hono {
  const { dialect = dialects.bazaar } = given;
  const metrics = given.metrics ?? createMetrics();
  const events = given.events ?? createEventFeed({ bazaar, metrics, faults });
  const deps = { bazaar, metrics };
  const log = requestLog(logger);
  const operations = [
    ...operationsRoutes(deps),
    ...dashboardRoutes({ bazaar, events, faults }),
    documentRoute(() => openApiDocument(app, dialect)),
    ...docsRoutes(),
  ];
  const operationsPaths = new Set(operations.map(({ path }) => path));
  const groups = groupRoutes([...dialect.routes(deps), ...operations]);
  const paths = new Set(groups.map(([{ path }]) => path));
  const parents = new Set([...paths].map(parentOf));
  const collections = new Set([...paths].filter((path) => parents.has(path)));
  const app = new Hono({ getPath: (request) => pathOf(request.url, collections) });

  for (const group of groups) {
    const [{ method, path, outage }] = group;
    const route = pathTemplate(path);
    const answered = answerer(route, outage, metrics.routeTimer(route, method), logger, log);
    const answer = wrapRoute ? (handle: Handle) => answered(wrapRoute(method, route, handle)) : answered;
    const handler = answer(handleOf(group));
    app.on(method, path, described(handler, group));
    if (method === "POST" && collections.has(path)) app.on(method, `${path}/`, answer(handleOf(group)));
    const parent = parentOf(path);
    if (parent === undefined) continue;
    const collection = groups.find(([other]) => other.method === method && other.path === parent);
    app.on(
      method,
      collection === undefined ? parent : `${parent}/`,
      answer(handleOf(incomplete(group, collection, dialect.incomplete))),
    );
  }

  if (!wrapRoute && paths.has("/stocks/:name")) {
    const cached = cachedLookup(bazaar, metrics.routeTimer(cachedRoute, "GET"), log);
    const routed = app.fetch;
    app.fetch = (request, ...rest) => cached(request, rest[0]) ?? routed(request, ...rest);
  }

  const unmatched = new Map([...methods, "other"].map((method) => [method, metrics.routeTimer("unmatched", method)]));
  app.notFound((context) => {
    const startMs = performance.now();
    const method = context.req.method;
    const timer = unmatched.get(method === "HEAD" ? "GET" : method) ?? unmatched.get("other");
    const { path } = context.req;
    const speaks = operationsPaths.has(path) ? dialects.bazaar : dialect;
    const reply = replyToUnmatched(speaks, method, (served) => app.router.match(served, path)[0].length > 0);
    const { status, headers } = reply;
    timer?.observe(status, performance.now() - startMs);
    const requestId = requestIdOf(context.req.raw);
    log?.(context.req.raw, context.env, { route: "unmatched", status, startMs, requestId, headers });
    return reply.toResponse(requestId);
  });
  // What a route throws is answered in its `answer`: only a fault in the routing itself comes here.
  app.onError((thrown, context) => {
    const requestId = requestIdOf(context.req.raw);
    return replyToError(thrown, operationsOutage, logger, { requestId, route: "unmatched" }).toResponse(requestId);
  });
  return app;
}

/** Makes handlers for Hono; the only place where a route's reply becomes a response. */
function answerer(route: string, outage: Outage, timer: RouteTimer, logger: Logger, log: LogRequest | undefined) {
  return (handle: Handle) =>
    (context: Context): Response | Promise<Response> => {
      const startMs = performance.now();
      const requestId = requestIdOf(context.req.raw);
      const told = (reply: Reply) => {
        const { status, headers } = reply;
        timer.observe(status, performance.now() - startMs);
        log?.(context.req.raw, context.env, { route, status, startMs, requestId, headers });
        if (reply instanceof StreamReply) {
          reply.broken = (error) => logger.warn({ requestId, route, err: BazaarError.from(error) }, "reply broken off");
        }
        return reply.toResponse(requestId);
      };
      const failed = (thrown: unknown) => {
        const about = { requestId, route };
        if (!(thrown instanceof Unanswered)) return told(replyToError(thrown, outage, logger, about));
        return told(replyToError(thrown.cause, outage, logger, about).with(thrown.headers));
      };
      try {
        const reply = handle(context, requestId);
        return reply instanceof Promise ? reply.then(told, failed) : told(reply);
      } catch (thrown) {
        return failed(thrown);
      }
    };
}

/** The cause stays here, in the log; the client hears what the contract says. */
function replyToError(
  thrown: unknown,
  outage: Outage,
  logger: Logger,
  about: { requestId: string; route: string },
): Failure {
  const error = BazaarError.from(thrown);
  switch (error.code) {
    case "UNAVAILABLE":
    case "DEPENDENCY_UNAVAILABLE":
    case "NOT_LEADER":
    case "FENCED":
    case "STALE_TERM":
    case "OVERLOADED":
    case "STORAGE_UNAVAILABLE":
    // The catalog has logged it, once: the client can only ask again when a person has decided.
    case "DIVERGED":
      // Expected when a part is away, and then as many as there are requests: the metrics count them.
      logger.debug({ ...about, err: error }, "request not answered in time");
      return outage.unavailable;
    case "KEY_REUSED":
      return keyReused;
    case "INVALID_STOCKNAME":
    case "INSUFFICIENT_QUANTITY":
    case "INVALID_REQUEST":
    case "INVALID_ORDERNUMBER":
    case "INTERNAL_ERROR":
      logger.error({ ...about, err: error }, "request failed");
      return outage.internal;
  }
}

function replyToUnmatched(dialect: Dialect, method: string, isServed: (method: string) => boolean): Reply {
  const allowed = methods.filter(isServed).map((served) => (served === "GET" ? "GET, HEAD" : served));
  return allowed.length === 0 ? dialect.unknown(method) : dialect.notAllowed(method, allowed.join(", "));
}

function documentRoute(makeDocument: () => Promise<object>): Route {
  let made: Promise<Reply> | undefined;
  return {
    method: "GET",
    path: "/openapi.json",
    access: "open",
    handle: () => (made ??= makeDocument().then((document) => json(document))),
    outage: operationsOutage,
    docs: {
      tag: "Operations",
      operationId: "readOpenApi",
      alwaysAnswers: true,
      summary: "This document",
      success: jsonDocs("An OpenAPI 3.1 document", documentReply, { openapi: "3.1.0", info: {}, paths: {} }),
      failures: [],
    },
  };
}
