/** Logs a line for each request at the level `debug`. At other levels there is no function to call, and no cost. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import type { Logger } from "@stock-bazaar/process/log";
import type { Connection } from "./connection.ts";

export interface Answered {
  /** The template of the path, like `/stocks/{name}`, or "unmatched". */
  readonly route: string;
  readonly status: number;
  /** When the request arrived, on the monotonic clock. */
  readonly startMs: number;
  readonly requestId: string;
  /** The headers of the reply, without those that every reply has. */
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
