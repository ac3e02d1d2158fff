/**
 * The dialect of system 002. Its client reads a body only when the status is 200, and then reuses the connection: an
 * unread body would be taken for the next reply. So every request to a path that exists is answered with status 200,
 * and a failure is only in the body, with its code. `type` is in upper case in replies.
 */

import {
  Failure,
  invalidGet,
  invalidQuantity,
  invalidTradeType,
  lookupOutage,
  malformedTrade,
  methodNotAllowed,
  orderOutage,
  type Outage,
  stockNotFound,
  tradeOutage,
  unknownRoute,
} from "../http/failures.ts";
import { describeOrder } from "../http/listing.ts";
import { orderNotFound, upperCaseOrder } from "../http/older-replies.ts";
import { commonTradeFailures, placeTrade, type TradeWords } from "../http/place-trade.ts";
import type { Reply } from "../http/reply.ts";
import { jsonDocs, type Route } from "../http/route.ts";
import { upperCaseOrderReply, upperCaseOrdersReply } from "@stock-bazaar/contract/schemas";
import {
  idempotencyKeyDocs,
  listOrders,
  orderNumberDocs,
  orderNumberQueryDocs,
  type OrderWords,
  pageDocs,
  queryOrder,
  tradeAccepted,
  tradeBodyDocs,
  tradeDocs,
  tradeForm,
} from "../routes/orders.ts";
import { lookupDocs, lookupStock, stockNameQueryDocs } from "../routes/stocks.ts";
import { bazaar } from "./bazaar.ts";
import { type Dialect, type DialectDependencies, replacing } from "./dialect.ts";

const internalServerError = new Failure(500, "INTERNAL_ERROR", "Internal Server Error");
const noSuchStock = new Failure(404, "INVALID_STOCKNAME", "Stock not found");
const invalidTrade = new Failure(404, "INVALID_REQUEST", "Stock not found");
const insufficientVolume = new Failure(
  400,
  "INSUFFICIENT_QUANTITY",
  "Trading not permitted due to insufficient volume",
);

export const streamingTradeWords: TradeWords = {
  form: {
    ...tradeForm,
    wrongContentType: internalServerError,
    reworded: new Map([
      [malformedTrade, internalServerError],
      [invalidQuantity, invalidTrade],
      [invalidTradeType, invalidTrade],
    ]),
  },
  accepted: tradeAccepted,
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? noSuchStock : insufficientVolume),
};

/** A timeout has the text of an internal error. */
const tradeFailure: Outage = { ...tradeOutage, unavailable: internalServerError, internal: internalServerError };

const orderWords: OrderWords = {
  found: upperCaseOrder,
  notFound: () => orderNotFound,
  malformed: internalServerError,
  takesAnyInteger: true,
};

const upperCaseOrderDocs = jsonDocs("The order, with its type in upper case", upperCaseOrderReply, {
  data: { number: 1, name: "GameStart", type: "BUY", quantity: 1 },
});

export const streaming: Dialect = {
  name: "streaming",
  about:
    "This front-end speaks the dialect `streaming`: every request to a path of stocks, orders or the cache is answered " +
    "with the status 200, and a failure is in the body. An unknown path is answered with 404, a known path with another " +
    "method with 200 and a failure whose code is 405; a trailing slash is tolerated, except in `GET /stocks/` and " +
    "`GET /orders/`, which lack a name or a number.",
  routes(deps) {
    const contract = bazaar.routes(deps);
    return replacing(contract, [...contract.filter(isList).map(unlessNameless), ...ownRoutes(deps)]).map(
      answeredWith200,
    );
  },
  incomplete: with200(invalidGet),
  unknown: unknownRoute,
  notAllowed: (method, allow) => with200(methodNotAllowed(method, allow)),
};

function ownRoutes({ bazaar: service, metrics }: DialectDependencies): Route[] {
  return [
    {
      method: "GET",
      path: "/stocks",
      whenQuery: "stockname",
      access: "read",
      handle: (context) => lookupStock(service, context, context.req.query("stockname") ?? "", () => stockNotFound),
      outage: lookupOutage,
      docs: {
        tag: "Stocks",
        summary: "Look up one stock by query",
        parameters: [stockNameQueryDocs],
        success: lookupDocs,
        failures: [stockNotFound],
      },
    },
    {
      method: "POST",
      path: "/orders",
      access: "trade",
      handle: (context, requestId) =>
        placeTrade({ bazaar: service, metrics }, context.req.raw, requestId, streamingTradeWords),
      outage: tradeFailure,
      docs: {
        tag: "Orders",
        operationId: "placeTrade",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: { ...tradeBodyDocs, example: { name: "GameStart", quantity: 1, type: "BUY" } },
        success: tradeDocs,
        failures: [internalServerError, invalidTrade, noSuchStock, insufficientVolume, ...commonTradeFailures],
      },
    },
    {
      method: "GET",
      path: "/orders",
      access: "read",
      handle: (context) =>
        listOrders(service, context, (order) => ({ ...describeOrder(order), type: order.type.toUpperCase() })),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "listOrders",
        summary: "List orders, newest first",
        parameters: pageDocs,
        success: jsonDocs("A page of orders", upperCaseOrdersReply, {
          data: [
            {
              number: 115,
              name: "GameStart",
              type: "SELL",
              quantity: 100,
              price: 15.99,
              created_at: "2026-01-31T12:00:00.000Z",
            },
          ],
          next: 115,
        }),
        failures: [invalidGet],
      },
    },
    {
      method: "GET",
      path: "/orders",
      whenQuery: "order-number",
      access: "read",
      handle: (context) => queryOrder(service, context.req.query("order-number") ?? "", orderWords),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        summary: "Read one order by query",
        parameters: [orderNumberQueryDocs],
        success: upperCaseOrderDocs,
        failures: [orderNotFound, internalServerError],
      },
    },
    {
      method: "GET",
      path: "/orders/:number",
      access: "read",
      handle: (context) => queryOrder(service, context.req.param("number") ?? "", orderWords),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "readOrder",
        summary: "Read one order",
        parameters: [orderNumberDocs],
        success: upperCaseOrderDocs,
        failures: [orderNotFound, internalServerError, invalidGet],
      },
    },
  ];
}

/** Whether this is the list of all stocks. */
function isList({ method, path, whenQuery }: Route): boolean {
  return method === "GET" && path === "/stocks" && whenQuery === undefined;
}

/** Replies with `stockNotFound` to a lookup without a name. A request with `limit` or `after` asks for the list. */
function unlessNameless(list: Route): Route {
  const { docs } = list;
  return {
    ...list,
    handle: (context, requestId) =>
      context.req.query("limit") === undefined && context.req.query("after") === undefined
        ? stockNotFound
        : list.handle(context, requestId),
    ...(docs && {
      docs: {
        ...docs,
        failures: [...docs.failures, stockNotFound],
      },
    }),
  };
}

function with200<Answer extends Reply>(reply: Answer): Answer {
  return (reply.status === 200 ? reply : reply.withStatus(200)) as Answer;
}

function answeredWith200(route: Route): Route {
  const { handle, outage, docs } = route;
  return {
    ...route,
    reword: with200,
    handle(context, requestId) {
      const reply = handle(context, requestId);
      return reply instanceof Promise ? reply.then(with200) : with200(reply);
    },
    outage: { ...outage, unavailable: with200(outage.unavailable), internal: with200(outage.internal) },
    ...(docs && {
      docs: {
        ...docs,
        success: { ...docs.success, conditional: false },
        failures: docs.failures.map(with200),
      },
    }),
  };
}
