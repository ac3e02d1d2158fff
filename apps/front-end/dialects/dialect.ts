/**
 * A dialect is the routes of a front-end and the statuses and texts of its replies, as the clients of one earlier
 * system need them. Each is one file, to be read top to bottom. The rules behind the routes are the same in all
 * dialects, and so are the operations' routes (`/readyz`, `/cluster`, `/metrics`, …), which no dialect replaces.
 */

import type { DialectName } from "@stock-bazaar/contract/dialects";
import type { Bazaar } from "../bazaar.ts";
import { invalidGet, methodNotAllowed, unknownRoute } from "../http/failures.ts";
import type { Metrics } from "../http/metrics.ts";
import type { Reply } from "../http/reply.ts";
import type { Route } from "../http/route.ts";

export interface DialectDependencies {
  readonly bazaar: Bazaar;
  readonly metrics: Metrics;
}

export interface Dialect {
  readonly name: DialectName;
  /** Sentences for the description of the OpenAPI document, after those that hold for all dialects. */
  readonly about: string;
  routes(deps: DialectDependencies): Route[];
  /** The reply to a path that lacks its last part, like `/stocks/`. */
  readonly incomplete: Reply;
  /** Returns the reply to a path that no route has. */
  unknown(method: string): Reply;
  /** Returns the reply to a path that has routes, but none for this method. `allow` lists the methods that it has. */
  notAllowed(method: string, allow: string): Reply;
}

/** The contract's replies to requests that no route serves. */
export const contractRefusals = {
  incomplete: invalidGet,
  unknown: unknownRoute,
  notAllowed: methodNotAllowed,
} as const satisfies Partial<Dialect>;

/** `contractRefusals` in words, for the OpenAPI document. */
export const aboutContractRefusals =
  "An unknown path is answered with 404, a known path with another method with 405 and `Allow`; a trailing slash is " +
  "tolerated, except in `GET /stocks/` and `GET /orders/`, which lack a name or a number.";

/** Returns `own` and those of `routes` whose method, path and query parameter no route in `own` has. */
export function replacing(routes: readonly Route[], own: readonly Route[]): Route[] {
  const keyOf = ({ method, path, whenQuery = "" }: Route) => `${method} ${path} ${whenQuery}`;
  const replaced = new Set(own.map(keyOf));
  return [...routes.filter((route) => !replaced.has(keyOf(route))), ...own];
}
