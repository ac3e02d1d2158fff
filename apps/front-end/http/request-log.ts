/** A line for each request, at `debug`. At any other level there is nothing to call, and so nothing to pay. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import type { Logger } from "@stock-bazaar/process/log";
import type { Connection } from "./connection.ts";

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

export type LogRequest = (request: Request, connection: Connection | undefined, answered: Answered) => void;

export function requestLog(logger: Logger): LogRequest | undefined {
  if (!logger.isLevelEnabled("debug")) return undefined;
  return (request, connection, { route, status, startMs, requestId, headers }) => {
    logger.debug(
      {
        requestId,
        method: request.method,
        route,
        status,
        ms: Math.round((performance.now() - startMs) * 1000) / 1000,
        cache: headers?.[cacheHeader],
        client: connection?.addressOf(request),
      },
      "request answered",
    );
  };
}
