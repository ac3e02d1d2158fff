/** The routes of a dialect as the front-end declares them: a new route is fuzzed without another line here. */

import type { DialectName } from "@stock-bazaar/contract/dialects";
import type { Bazaar } from "@stock-bazaar/front-end/bazaar";
import { dialects } from "@stock-bazaar/front-end/dialects/index";
import type { EventFeed } from "@stock-bazaar/front-end/events/event-feed";
import type { Faults } from "@stock-bazaar/front-end/faults";
import { createMetrics } from "@stock-bazaar/front-end/http/metrics";
import type { Route } from "@stock-bazaar/front-end/http/route";
import { dashboardRoutes } from "@stock-bazaar/front-end/routes/dashboard";
import { docsRoutes } from "@stock-bazaar/front-end/routes/docs";
import { operationsRoutes } from "@stock-bazaar/front-end/routes/operations";

export interface FuzzedRoute {
  readonly method: string;
  /** `/stocks/:name` */
  readonly path: string;
  /** The query parameters that it reads. */
  readonly queries: readonly string[];
  /** A valid body, if it has one. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
  /** True if its reply takes long to make or to send: a page, a script, all metrics. */
  readonly isDear: boolean;
}

/** Only declares: no handler of these routes may run. */
const none = {};

export function routesOf(name: DialectName): FuzzedRoute[] {
  const bazaar = none as Bazaar;
  const metrics = createMetrics();
  const routes = dialects[name].routes({ bazaar, metrics });
  const operations = [
    ...operationsRoutes({ bazaar, metrics, isAdmin: () => true }),
    ...dashboardRoutes({ bazaar, events: none as EventFeed, faults: none as Faults }),
    ...docsRoutes(),
  ];
  const document = { method: "GET", path: "/openapi.json", queries: [], body: undefined, isDear: true };
  return [
    ...routes.map((route) => fuzzed(route, false)),
    ...operations.map((route) => fuzzed(route, route.method === "GET")),
    document,
  ];
}

function fuzzed({ method, path, whenQuery, docs }: Route, isDear: boolean): FuzzedRoute {
  const documented = (docs?.parameters ?? []).filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const queries = whenQuery === undefined ? documented : [whenQuery, ...documented];
  return { method, path, queries: [...new Set(queries)], body: docs?.body?.example as FuzzedRoute["body"], isDear };
}
