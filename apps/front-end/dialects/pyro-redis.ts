/**
 * The dialect of system 004. It has the routes of the default dialect, with other failures: a stock or an order that
 * does not exist is a bad request (400), and too little stock is a server error (500).
 */

import { cacheOutage, Failure, invalidGet, lookupOutage, orderOutage, outage, tradeOutage } from "../http/failures.ts";
import { insufficientVolume, notInDatabase } from "../http/older-replies.ts";
import { commonTradeFailures, placeTrade } from "../http/place-trade.ts";
import type { Route } from "../http/route.ts";
import { olderTradeWords } from "../routes/compatibility.ts";
import {
  idempotencyKeyDocs,
  orderDocs,
  orderFound,
  orderNumberDocs,
  queryOrder,
  tradeBodyDocs,
  tradeDocs,
  tradeFormFailures,
} from "../routes/orders.ts";
import { ifNoneMatchDocs, lookupDocs, lookupStock, stockNameDocs } from "../routes/stocks.ts";
import { bazaar } from "./bazaar.ts";
import { aboutContractRefusals, type Dialect, type DialectDependencies, replacing } from "./dialect.ts";

const notInOrderLog = (text: string) =>
  new Failure(400, "INVALID_ORDERNUMBER", `Bad request. ${text} order not found in ORDER LOG`);

/** A timeout has the contract's text, an internal error this system's. */
const invalidationOutage = {
  ...cacheOutage,
  internal: outage("", "Cache Invalidation unsuccessful. Check error log").internal,
};

export const pyroRedis: Dialect = {
  ...bazaar,
  name: "pyro-redis",
  about: `This front-end speaks the dialect \`pyro-redis\`. ${aboutContractRefusals}`,
  routes(deps) {
    const routes = replacing(bazaar.routes(deps), ownRoutes(deps));
    return routes.map((route) =>
      route.path === "/cache_invalid/:name" ? { ...route, outage: invalidationOutage } : route,
    );
  },
};

function ownRoutes(deps: DialectDependencies): Route[] {
  return [
    {
      method: "GET",
      path: "/stocks/:name",
      access: "read",
      handle: (context) => lookupStock(deps.bazaar, context, context.req.param("name") ?? "", notInDatabase),
      outage: lookupOutage,
      docs: {
        tag: "Stocks",
        operationId: "lookUpStock",
        summary: "Look up one stock",
        parameters: [stockNameDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [notInDatabase("Unknown"), invalidGet],
      },
    },
    {
      method: "POST",
      path: "/orders",
      access: "trade",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, olderTradeWords),
      outage: tradeOutage,
      docs: {
        tag: "Orders",
        operationId: "placeTrade",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: tradeBodyDocs,
        success: tradeDocs,
        failures: [
          ...tradeFormFailures,
          notInDatabase("Unknown"),
          insufficientVolume("GameStart"),
          ...commonTradeFailures,
        ],
      },
    },
    {
      method: "GET",
      path: "/orders/:number",
      access: "read",
      handle: (context) =>
        queryOrder(deps.bazaar, context.req.param("number") ?? "", {
          found: orderFound,
          notFound: notInOrderLog,
          malformed: invalidGet,
          takesAnyInteger: true,
        }),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "readOrder",
        summary: "Read one order",
        parameters: [orderNumberDocs],
        success: orderDocs,
        failures: [notInOrderLog("1000000"), invalidGet],
      },
    },
  ];
}
