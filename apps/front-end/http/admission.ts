/**
 * The one place that every HTTP request passes before anything is done for it: cached lookups, streams, HEAD, OPTIONS, and
 * paths that no route has. Tokens and limits belong here; for now every request passes.
 */

import type { Access } from "@stock-bazaar/contract/access";
import type { Connection } from "./connection.ts";
import type { Failure } from "./failures.ts";

/**
 * Returns a refusal, or nothing for a request that may pass. Called once for each request, before its body is read. It
 * can't wait, as a cached lookup is answered without a promise, and must not throw.
 *
 * `access`: what the route asks for; `read` where no route has the path. `connection`: absent for a request that came over
 * no socket; the remote address costs time only when it is asked for.
 */
export type Admission = (request: Request, access: Access, connection: Connection | undefined) => Failure | undefined;

export const admitAll: Admission = () => undefined;
