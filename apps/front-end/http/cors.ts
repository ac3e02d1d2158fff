/**
 * Lets pages of other origins use the front-end, if the configuration names them (`CORS_ORIGINS`). Otherwise no reply has
 * a header of this kind, and browsers keep other pages' scripts from reading replies.
 *
 * Tokens are headers, not cookies, so no credentials are allowed: a page can only send a token that it knows.
 */

import { responseHeaders } from "@stock-bazaar/contract/headers";

type Fetch<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Response | Promise<Response>;

const allowOrigin = "access-control-allow-origin";
const preflightSeconds = 600;

/** `origins` are those of pages, like `https://shop.example`, or `*`. */
export function withCors<Rest extends unknown[]>(fetch: Fetch<Rest>, origins: readonly string[]): Fetch<Rest> {
  const isAny = origins.includes("*");
  const exposed = Object.keys(responseHeaders).join(", ");
  return (request, ...rest) => {
    const origin = request.headers.get("origin");
    const isAllowed = origin !== null && (isAny || origins.includes(origin));
    const mark = (response: Response) => {
      // The reply differs by origin: no cache may give it to another page.
      if (!isAny) response.headers.append("vary", "Origin");
      if (!isAllowed) return response;
      response.headers.set(allowOrigin, isAny ? "*" : origin);
      response.headers.set("access-control-expose-headers", exposed);
      return response;
    };
    // Browsers send this question without a token. Nothing is done for it.
    if (isAllowed && request.method === "OPTIONS" && request.headers.has("access-control-request-method")) {
      const headers = {
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers":
          "authorization, content-type, idempotency-key, if-none-match, last-event-id, x-request-id",
        "access-control-max-age": String(preflightSeconds),
      };
      return mark(new Response(null, { status: 204, headers }));
    }
    const response = fetch(request, ...rest);
    return response instanceof Promise ? response.then(mark) : mark(response);
  };
}
