/**
 * The one place that every HTTP request passes before anything is done for it: cached lookups, streams, HEAD, OPTIONS,
 * and paths that no route has.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { Connection } from "./connection.ts";
import { type Failure, scopeMissing, tokenMissing, tokenUnknown } from "./failures.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Returns a refusal, or nothing for a request that may pass. Called once for each request, before its body is read. It
 * can't wait, as a cached lookup is answered without a promise, and must not throw.
 *
 * `access` is the level of the route, or `read` if no route has the path. `connection` is absent for a request that
 * didn't arrive over a socket; the client's address is looked up only when it is asked for.
 * `reword` puts a refusal into the words of the route's dialect.
 */
export type Admission = (
  request: Request,
  access: Access,
  connection: Connection | undefined,
  reword: Reword,
) => Failure | undefined;

export type Reword = (refusal: Failure) => Failure;

export const admitAll: Admission = () => undefined;

/**
 * Admits requests with a token that has the scope of the route; all requests to open routes. A token that isn't known is
 * refused even where a request without one would pass: the client of a revoked token must notice.
 *
 * `tokens` returns those of now: they may change while the front-end runs.
 */
export function admitTokens(tokens: () => Tokens): Admission {
  return (request, access, _, reword) => {
    if (access === "open") return undefined;
    const client = tokens().clientOf(request.headers.get("authorization"));
    if (client === undefined) return reword(tokenUnknown);
    if (client.scopes.has(access)) return undefined;
    return reword(client.name === undefined ? tokenMissing : scopeMissing[access]);
  };
}

/** What a request to a route with this access may get instead of its reply. */
export function refusalsAt(access: Access, reword: Reword = (refusal) => refusal): readonly Failure[] {
  return access === "open" ? [] : [tokenMissing, tokenUnknown, scopeMissing[access]].map(reword);
}
