/**
 * The one place that every HTTP request passes before anything is done for it: cached lookups, streams, HEAD, OPTIONS,
 * and paths that no route has.
 */

import type { Access } from "@stock-bazaar/contract/access";
import { clientNetwork } from "./client-address.ts";
import type { Connection } from "./connection.ts";
import { type Failure, scopeMissing, tokenMissing, tokenUnknown, tooBusy } from "./failures.ts";
import { limitAt, RateLimit, type RateLimits } from "./rate-limit.ts";
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

export interface Guards {
  /** Returns the tokens of now, which may change while the front-end runs. If absent, none is required. */
  readonly tokens?: (() => Tokens) | undefined;
  readonly limits?: RateLimits | undefined;
}

const noLimits: RateLimits = { trades: undefined, reads: undefined };

/**
 * Admits requests within the limit of their client and with a token that has the scope of the route; all requests to open
 * routes.
 *
 * A client is a token, or an address without a known one: who tries tokens is slowed down, too. A token that isn't known
 * is refused even where a request without one would pass: the client of a revoked token must notice.
 */
export function guarded({ tokens, limits = noLimits }: Guards, nowMs = () => performance.now()): Admission {
  if (tokens === undefined && limits.trades === undefined && limits.reads === undefined) return admitAll;
  return (request, access, connection, reword) => {
    if (access === "open") return undefined;
    const client = tokens?.().clientOf(request.headers.get("authorization"));
    const limit = limitAt(access, limits);
    if (limit !== undefined) {
      const key = client?.name ?? `from ${clientNetwork(connection?.addressOf(request) ?? "")}`;
      if (!limit.take(key, nowMs())) return reword(limit.refusal);
    }
    if (tokens === undefined) return undefined;
    if (client === undefined) return reword(tokenUnknown);
    if (client.scopes.has(access)) return undefined;
    return reword(client.name === undefined ? tokenMissing : scopeMissing[access]);
  };
}

/** For the document, which doesn't know the limits. */
const anyLimit = new RateLimit("requests", 1);

/** What a request to a route with this access may get instead of its reply. */
export function refusalsAt(access: Access, reword: Reword = (refusal) => refusal): readonly Failure[] {
  return access === "open"
    ? []
    : [tokenMissing, tokenUnknown, scopeMissing[access], anyLimit.refusal, tooBusy].map(reword);
}
