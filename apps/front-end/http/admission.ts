/**
 * The one place that every HTTP request passes before anything is done for it: cached lookups, streams, HEAD, OPTIONS,
 * and paths that no route has. Tokens and limits belong here; for now every request passes.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { Connection } from "./connection.ts";
import type { Failure } from "./failures.ts";

/**
 * Returns a refusal, or nothing for a request that may pass. Called once for each request, before its body is read. It
 * can't wait, as a cached lookup is answered without a promise, and must not throw.
 *
 * `access` is the level of the route, or `read` if no route has the path. `connection` is absent for a request that
 * didn't arrive over a socket; the client's address is looked up only when it is asked for.
 */
export type Admission = (request: Request, access: Access, connection: Connection | undefined) => Failure | undefined;

export const admitAll: Admission = () => undefined;
