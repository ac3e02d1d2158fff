/** The routes that look into the cache and drop stocks from it. */

import { cacheHeader } from "@stock-bazaar/contract/headers";
import type { Bazaar } from "../bazaar.ts";
import { invalidGet, cacheOutage, stockNotFound } from "../http/failures.ts";
import { json } from "../http/reply.ts";
import { jsonDocs, type Route } from "../http/route.ts";
import { invalidationReply } from "@stock-bazaar/contract/schemas";
import { ifNoneMatchDocs, lookupDocs, stockFound, stockNameDocs } from "./stocks.ts";

const invalidation = { data: { code: 200, message: "Cache Invalidation done" } } as const;

export function cacheRoutes(bazaar: Bazaar): Route[] {
  const invalidated = json(invalidation);
  return [
    {
      method: "GET",
      path: "/stocksCache/:name",
      access: "admin",
      handle(context) {
        bazaar.dropCached(context.req.param("name") ?? "");
        return invalidated;
      },
      outage: cacheOutage,
      docs: {
        tag: "Cache",
        operationId: "dropCachedStock",
        alwaysAnswers: true,
        summary: "Drop a stock from the cache",
        parameters: [stockNameDocs],
        success: jsonDocs("The stock isn't in the cache now", invalidationReply, invalidation),
        failures: [invalidGet],
      },
    },
    {
      method: "GET",
      path: "/stocksCacheLookup/:name",
      access: "read",
      handle(context) {
        const stock = bazaar.lookupCached(context.req.param("name") ?? "");
        return stock === undefined ? stockNotFound.with({ [cacheHeader]: "miss" }) : stockFound(context, stock, "hit");
      },
      outage: cacheOutage,
      docs: {
        tag: "Cache",
        operationId: "lookUpCachedStock",
        alwaysAnswers: true,
        summary: "Look up a stock in the cache only",
        parameters: [stockNameDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [stockNotFound, invalidGet],
      },
    },
  ];
}
