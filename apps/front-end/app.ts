/**
 * The front-end's HTTP without a socket. `createApp` makes a Hono app from the routes and never listens.
 *
 * `http/front-door.ts` describes the path of one request. This file adds the routes to Hono's router, and puts the
 * lookups that the cache can answer in front of it.
 */

import { systemClock } from "@stock-bazaar/shared/clock";
import type { Logger } from "@stock-bazaar/process/log";
import { type Context, Hono } from "hono";
import type { Bazaar } from "./bazaar.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { dialects } from "./dialects/index.ts";
import { EventFeed } from "./events/event-feed.ts";
import type { Faults } from "./faults.ts";
import { type Admission, guarded } from "./http/admission.ts";
import type { Connection } from "./http/connection.ts";
import { withCors } from "./http/cors.ts";
import { operationsOutage } from "./http/failures.ts";
import { FrontDoor, type Passage } from "./http/front-door.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { described, openApiDocument } from "./http/openapi.ts";
import type { RateLimits } from "./http/rate-limit.ts";
import { json, type Reply } from "./http/reply.ts";
import { type Handle, jsonDocs, pathTemplate, type Route } from "./http/route.ts";
import { groupRoutes, handleOf, incomplete, parentOf, pathOf } from "./http/routing.ts";
import { documentReply } from "@stock-bazaar/contract/schemas";
import type { Tokens } from "./http/tokens.ts";
import type { WrapRoute } from "./http/traced.ts";
import { cachedLookup } from "./routes/cached-lookup.ts";
import { dashboardRoutes } from "./routes/dashboard.ts";
import { docsRoutes } from "./routes/docs.ts";
import { operationsRoutes } from "./routes/operations.ts";

export interface AppDependencies {
  readonly bazaar: Bazaar;
  readonly logger: Logger;
  /** The default dialect if absent. */
  readonly dialect?: Dialect;
  readonly wrapRoute?: WrapRoute;
  /** Returns the tokens of now. If absent, every client may do everything. */
  readonly tokens?: () => Tokens;
  /** If absent, there are no limits. */
  readonly limits?: RateLimits;
  /** The most requests that may wait for their replies. Default: no limit. */
  readonly requestsMax?: number;
  /** The origins of other pages that may use the front-end. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Default: requests with a token of `tokens`, or every request, within `limits`. */
  readonly admit?: Admission;
  readonly metrics?: Metrics;
  /** A feed of its own if absent. A feed works only while it has listeners. */
  readonly events?: EventFeed;
  /** If absent, no route kills or freezes a replica. */
  readonly faults?: Faults | undefined;
  /** Aborts when this front-end is asked to stop: it isn't ready from then on. */
  readonly stopping?: AbortSignal;
}

/** Creates the feed behind `GET /events`. `hidesDetails`: not every listener may see the details of the cluster. */
export function createEventFeed(deps: {
  bazaar: Bazaar;
  metrics: Metrics;
  faults: Faults | undefined;
  hidesDetails?: boolean;
  listenersMax?: number;
}): EventFeed {
  const { bazaar, metrics, faults, hidesDetails = false, listenersMax } = deps;
  return new EventFeed({
    bazaar,
    takeTradeTimes: () => metrics.takeTradeTimes(),
    clock: systemClock,
    faults: faults !== undefined,
    hidesDetails,
    ...(listenersMax !== undefined && { listenersMax }),
  });
}

const methods = ["GET", "POST"] as const;

export function createApp({ bazaar, logger, faults, wrapRoute, tokens, ...given }: AppDependencies): Hono {
  const { dialect = dialects.bazaar, requestsMax } = given;
  const metrics = given.metrics ?? createMetrics();
  const events = given.events ?? createEventFeed({ bazaar, metrics, faults, hidesDetails: tokens !== undefined });
  const deps = { bazaar, metrics };
  const door = new FrontDoor({ admit: given.admit ?? guarded({ tokens, limits: given.limits }), logger, requestsMax });
  const isAdmin = (request: Request) =>
    tokens === undefined || tokens().clientOf(request.headers.get("authorization"))?.scopes.has("admin") === true;
  const operations = [
    ...operationsRoutes({ ...deps, isAdmin, stopping: given.stopping }),
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

  const passageOf = ({ method, path, access, reword, outage }: Route): Passage => {
    const route = pathTemplate(path);
    return { route, access, reword, outage, timer: metrics.routeTimer(route, method) };
  };
  for (const group of groups) {
    const [{ method, path }] = group;
    const passage = passageOf(group[0]);
    const answer = (handle: Handle) =>
      door.handler(passage, wrapRoute === undefined ? handle : wrapRoute(method, passage.route, handle));
    app.on(method, path, described(answer(handleOf(group)), group));
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

  const lookup = groups.find(([{ method, path }]) => method === "GET" && path === "/stocks/:name")?.[0];
  if (!wrapRoute && lookup) {
    const cached = door.ahead(passageOf(lookup), cachedLookup(bazaar));
    const routed = app.fetch;
    app.fetch = (request, environment, execution) =>
      cached(request, environment as Connection | undefined) ?? routed(request, environment, execution);
  }

  const unmatched = (method: string): Passage => ({
    route: "unmatched",
    access: "read",
    outage: operationsOutage,
    timer: metrics.routeTimer("unmatched", method),
  });
  const refuse: Handle = ({ req: { method, path } }) => {
    const dialectOfPath = operationsPaths.has(path) ? dialects.bazaar : dialect;
    return replyToUnmatched(dialectOfPath, method, (served) => app.router.match(served, path)[0].length > 0);
  };
  const refusers = new Map<string, (context: Context) => Response | Promise<Response>>(
    methods.map((method) => [method, door.handler(unmatched(method), refuse)]),
  );
  const refuseOther = door.handler(unmatched("other"), refuse);
  app.notFound((context) => {
    const { method } = context.req;
    return (refusers.get(method === "HEAD" ? "GET" : method) ?? refuseOther)(context);
  });
  // A route's own handler turns what it throws into a reply. Only an error in the routing itself gets here.
  app.onError((thrown, context) =>
    door.handler(unmatched("other"), () => {
      throw thrown;
    })(context),
  );
  if (given.corsOrigins?.length) app.fetch = withCors(app.fetch, given.corsOrigins);
  return app;
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
