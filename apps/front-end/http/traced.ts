/** Adds requests and trades to traces. Used only if traces are on; otherwise no request passes here. */

import type { Tracing } from "@stock-bazaar/process/traces";
import type { Bazaar } from "../bazaar.ts";
import type { Handle } from "./route.ts";

/** Wraps the handler of a route. */
export type WrapRoute = (method: string, route: string, handle: Handle) => Handle;

export function tracedRoutes(tracing: Tracing): WrapRoute {
  return (method, route, handle) => (context, requestId) =>
    tracing.request({ method, route, requestId: requestId.text, headers: context.req.raw.headers }, () =>
      handle(context, requestId),
    );
}

/** Wraps the bazaar so that each trade is part of the trace of its request. */
export function tracedBazaar(bazaar: Bazaar, tracing: Tracing): Bazaar {
  return new Proxy(bazaar, {
    get(target, name) {
      if (name === "trade") {
        return (...[trade, minted]: Parameters<Bazaar["trade"]>) =>
          tracing.trade(trade, () => target.trade(trade, minted));
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
