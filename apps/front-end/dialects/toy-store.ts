/**
 * The dialect of system 003. Its clients only buy. A purchase of more than the available quantity succeeds with the
 * order number -1. The clients read an order with `POST /orders/{n}` and receive its number as a string. A path that
 * this system did not have is answered with 501. Clients give up after 5 s, so a request takes 4 s at most if
 * REQUEST_TIMEOUT_MS isn't set.
 */

import { idempotencyKeyHeader } from "@stock-bazaar/contract/headers";
import type { Context } from "hono";
import { Failure, outage } from "../http/failures.ts";
import { productNotFound, purchaseDocs, purchaseReplies } from "../http/older-replies.ts";
import { commonTradeFailures, placeTrade, type TradeWords } from "../http/place-trade.ts";
import { json, type Reply } from "../http/reply.ts";
import { isJson } from "../http/request.ts";
import { jsonDocs, type Route, type RouteDocs } from "../http/route.ts";
import {
  invalidToyQuantityMessage,
  malformedToyPurchaseMessage,
  toyOrderReply,
  toyPurchaseBody,
} from "@stock-bazaar/contract/schemas";
import { idempotencyKeyDocs, orderNumberDocs, type OrderWords, queryOrder } from "../routes/orders.ts";
import { ifNoneMatchDocs, lookupDocs, lookupStock, stockNameDocs } from "../routes/stocks.ts";
import type { Dialect, DialectDependencies } from "./dialect.ts";

const typeRequired = '"Content-Type: application/json" header required';
const missingContentType = new Failure(400, "INVALID_REQUEST", `(Missing header) ${typeRequired}`);
const wrongContentType = new Failure(415, "INVALID_REQUEST", `(Wrong Content-Type) ${typeRequired}`);
const lengthRequired = new Failure(411, "INVALID_REQUEST", "Content-Length header required");
const notJson = new Failure(400, "INVALID_REQUEST", "invalid json file");
const malformedPurchase = new Failure(400, "INVALID_REQUEST", malformedToyPurchaseMessage);
const invalidQuantity = new Failure(400, "INVALID_REQUEST", invalidToyQuantityMessage);
const notImplemented = new Failure(501, "INVALID_REQUEST", "service not implemented");
const orderNotFound = new Failure(404, "INVALID_ORDERNUMBER", "product not found");

const internalServerError = outage("", "internal server error").internal;
/** A timeout has the text of an internal error. */
const failure = { unavailable: internalServerError, internal: internalServerError };
const purchaseFailure = { ...failure, handlerHeaders: [idempotencyKeyHeader] } as const;

export const toyPurchaseWords: TradeWords = {
  form: {
    schema: toyPurchaseBody,
    typeOf: (type) => (type === undefined || type === "buy" ? "buy" : undefined),
    wrongContentType,
    notJson,
    malformed: malformedPurchase,
    invalid: [invalidQuantity],
  },
  ...purchaseReplies,
};

const orderWords: OrderWords = {
  found: ({ id, name, quantity }) => json({ data: { number: String(id), name, quantity } }),
  notFound: () => orderNotFound,
  malformed: orderNotFound,
};

export const toyStore: Dialect = {
  name: "toy-store",
  about:
    "This front-end speaks the dialect `toy-store`. An unknown path is answered with 501, a known path with another " +
    "method with 501 as well; a trailing slash is tolerated, except in `GET /products/` and `GET /orders/`, which lack a " +
    "name or a number.",
  routes: (deps) => [lookup(deps), purchase(deps), readOrder(deps, "GET"), readOrder(deps, "POST")],
  incomplete: notImplemented,
  unknown: () => notImplemented,
  notAllowed: () => notImplemented,
};

function lookup({ bazaar }: DialectDependencies): Route {
  return {
    method: "GET",
    path: "/products/:name",
    access: "read",
    handle: (context) => lookupStock(bazaar, context, context.req.param("name") ?? "", () => productNotFound),
    outage: failure,
    docs: {
      tag: "Stocks",
      operationId: "lookUpProduct",
      summary: "Look up one product",
      parameters: [stockNameDocs, ifNoneMatchDocs],
      success: lookupDocs,
      failures: [productNotFound],
    },
  };
}

function purchase(deps: DialectDependencies): Route {
  return {
    method: "POST",
    path: "/orders",
    access: "trade",
    handle(context, requestId) {
      const refusal = whyHeadersAreWrong(context.req.raw.headers);
      return refusal ?? placeTrade(deps, context.req.raw, requestId, toyPurchaseWords);
    },
    outage: purchaseFailure,
    docs: {
      tag: "Orders",
      operationId: "buyProduct",
      summary: "Buy",
      parameters: [idempotencyKeyDocs],
      body: { schema: toyPurchaseBody, example: { name: "GameStart", quantity: 1 } },
      success: purchaseDocs,
      failures: [
        missingContentType,
        wrongContentType,
        lengthRequired,
        notJson,
        malformedPurchase,
        invalidQuantity,
        productNotFound,
        ...commonTradeFailures,
      ],
    },
  };
}

function whyHeadersAreWrong(headers: Headers): Failure | undefined {
  const contentType = headers.get("content-type");
  if (contentType === null) return missingContentType;
  if (!isJson(contentType)) return wrongContentType;
  return headers.get("content-length") === null ? lengthRequired : undefined;
}

function readOrder({ bazaar }: DialectDependencies, method: Route["method"]): Route {
  const docs: RouteDocs = {
    tag: "Orders",
    operationId: method === "GET" ? "readOrder" : "checkOrder",
    summary: "Read one order",
    parameters: [orderNumberDocs],
    success: jsonDocs("The order; its number is a string", toyOrderReply, {
      data: { number: "1", name: "GameStart", quantity: 1 },
    }),
    failures: [orderNotFound],
  };
  const handle = (context: Context): Promise<Reply> =>
    queryOrder(bazaar, context.req.param("number") ?? "", orderWords);
  return { method, path: "/orders/:number", access: "read", handle, outage: failure, docs };
}
