/**
 * A dialect: the routes of a front-end and the words of its replies. What happens behind them is the same in all; a
 * dialect is one file that a person reads top to bottom. The operations' routes are no part of it: they are the same
 * everywhere.
 */

import type { DialectName } from "@stock-bazaar/shared/dialects";
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
  /** For the document, after what holds for all: whole sentences. */
  readonly about: string;
  routes(deps: DialectDependencies): Route[];
  /** Replies to a path that lacks its last part, like `/stocks/`. */
  readonly incomplete: Reply;
  /** Replies to a path that no route has. */
  unknown(method: string): Reply;
  /** Replies to a path that has routes, but none for this method. `allow`: those that it has. */
  notAllowed(method: string, allow: string): Reply;
}

/** The words of the contract for requests that no route serves. */
export const contractRefusals = {
  incomplete: invalidGet,
  unknown: unknownRoute,
  notAllowed: methodNotAllowed,
} as const satisfies Partial<Dialect>;

/** `routes`, with those replaced that `own` has under the same method, path and query parameter. */
export function replacing(routes: readonly Route[], own: readonly Route[]): Route[] {
  const keyOf = ({ method, path, whenQuery = "" }: Route) => `${method} ${path} ${whenQuery}`;
  const replaced = new Set(own.map(keyOf));
  return [...routes.filter((route) => !replaced.has(keyOf(route))), ...own];
}
