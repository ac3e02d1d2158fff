/** A line for each request, at `debug`. At any other level there is nothing to call, and so nothing to pay. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import type { Logger } from "@stock-bazaar/process/log";

/** Knows where a request came from: the server, which is the app's environment. */
export interface Peers {
  requestIP(request: Request): { readonly address: string; readonly port: number } | null;
}

export interface Answered {
  /** Its path's template, like `/stocks/{name}`. */
  readonly route: string;
  readonly status: number;
  /** On the monotonic clock, when the request arrived. */
  readonly startMs: number;
  readonly requestId: string;
  /** Of the reply. */
  readonly headers: Readonly<Record<string, string>> | undefined;
}

export type LogRequest = (request: Request, environment: unknown, answered: Answered) => void;

export function requestLog(logger: Logger): LogRequest | undefined {
  if (!logger.isLevelEnabled("debug")) return undefined;
  return (request, environment, { route, status, startMs, requestId, headers }) => {
    const peer = hasPeers(environment) ? environment.requestIP(request) : null;
    logger.debug(
      {
        requestId,
        method: request.method,
        route,
        status,
        ms: Math.round((performance.now() - startMs) * 1000) / 1000,
        cache: headers?.[cacheHeader],
        client: peer?.address,
      },
      "request answered",
    );
  };
}

/** A request that came over no socket has none. */
function hasPeers(environment: unknown): environment is Peers {
  return typeof environment === "object" && environment !== null && "requestIP" in environment;
}
