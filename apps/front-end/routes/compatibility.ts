/**
 * The routes of the systems that this one replaces, so that their clients run unchanged: one table of routes
 * and replies. What happens behind them is what happens behind the main routes; only the words differ.
 */

import type { Order } from "@stock-bazaar/shared/domain";
import type { Bazaar } from "../bazaar.ts";
import {
  Failure,
  invalidGet,
  invalidQuantity,
  invalidTradeType,
  lookupOutage,
  malformedTrade,
  operationsOutage,
  orderOutage,
  stockNotFound,
  tradeOutage,
} from "../http/failures.ts";
import type { Metrics } from "../http/metrics.ts";
import { json, text, textType } from "../http/reply.ts";
import { jsonDocs, type ParameterDocs, type Route, type RouteDocs } from "../http/route.ts";
import {
  leaderReply,
  malformedPurchaseMessage,
  orderNumber,
  purchaseBody,
  purchaseReply,
  shortInvalidationReply,
  upperCaseOrderReply,
} from "../http/schemas.ts";
import { commonTradeFailures, placeTrade, type TradeDialect } from "../http/place-trade.ts";
import { idempotencyKeyDocs, queryOrder, tradeAccepted, tradeBodyDocs, tradeDocs, tradeForm } from "./orders.ts";
import { ifNoneMatchDocs, lookupDocs, lookupStock, stockNameDocs } from "./stocks.ts";

const orderNotFound = new Failure(404, "INVALID_ORDERNUMBER", "order not found");
const productNotFound = new Failure(404, "INVALID_STOCKNAME", "product not found");
const noOrderLeader = new Failure(500, "INTERNAL_ERROR", "Internal Server Error. Check get_order_leader logs");
const notJson = new Failure(415, "INVALID_REQUEST", "Content-Type must be application/json");
const lengthRequired = new Failure(411, "INVALID_REQUEST", "Content-Length is required");
const malformedPurchase = new Failure(400, "INVALID_REQUEST", malformedPurchaseMessage);

const notInDatabase = (name: string) =>
  new Failure(400, "INVALID_STOCKNAME", `Bad request. ${name} stock not found in db`);
const insufficientVolume = (name: string) =>
  new Failure(500, "INSUFFICIENT_QUANTITY", `Insufficient volume for ${name} stock`);

const invalidation = { data: "cache invalidation successful" } as const;

function upperCaseOrder({ id, name, type, quantity }: Order) {
  return json({ data: { number: id, name, type: type.toUpperCase(), quantity } });
}

/** `POST /order` tells its failures in its own words. */
const orderDialect: TradeDialect = {
  form: tradeForm,
  accepted: tradeAccepted,
  rejected: (reason, name) => (reason === "INVALID_STOCKNAME" ? notInDatabase(name) : insufficientVolume(name)),
};

/** `POST /buy` only buys; being out of stock is a success with the order number -1. */
const purchaseDialect: TradeDialect = {
  form: { schema: purchaseBody, wrongContentType: notJson, malformed: malformedPurchase, invalid: [invalidQuantity] },
  accepted: (orderId) => json({ data: { order_number: orderId } }),
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? productNotFound : json({ data: { order_number: -1 } })),
};

export function compatibilityRoutes(deps: { readonly bazaar: Bazaar; readonly metrics: Metrics }): Route[] {
  const { bazaar } = deps;
  const invalidated = json(invalidation);
  return [
    {
      method: "GET",
      path: "/hello",
      handle: (context) => text(`Hello, ${context.req.query("name") ?? "user"}!`),
      outage: operationsOutage,
      docs: docs({
        operationId: "greet",
        alwaysAnswers: true,
        summary: "Greet",
        parameters: [query("name", "Who is greeted", "user")],
        success: { description: "A greeting", contentType: textType, example: "Hello, user!" },
      }),
    },
    {
      method: "GET",
      path: "/stocks",
      whenQuery: "stockname",
      handle(context) {
        const name = context.req.query("stockname") ?? "";
        return name === "" ? invalidGet : lookupStock(bazaar, context, name, () => stockNotFound);
      },
      outage: lookupOutage,
      docs: docs({
        summary: "Look up one stock by query",
        parameters: [query("stockname", "The stock to look up, instead of all: GameStart"), ifNoneMatchDocs],
        success: lookupDocs,
        failures: [stockNotFound, invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/orders",
      whenQuery: "order-number",
      handle: (context) =>
        queryOrder(bazaar, context.req.query("order-number") ?? "", { found: upperCaseOrder, notFound: orderNotFound }),
      outage: orderOutage,
      docs: docs({
        summary: "Read one order by query",
        parameters: [{ ...query("order-number", "The order to read, instead of a page"), schema: orderNumber }],
        success: jsonDocs("The order, its type in upper case", upperCaseOrderReply, {
          data: { number: 1, name: "GameStart", type: "BUY", quantity: 1 },
        }),
        failures: [orderNotFound, invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/stock/:name",
      handle: (context) => lookupStock(bazaar, context, context.req.param("name") ?? "", notInDatabase),
      outage: lookupOutage,
      docs: docs({
        operationId: "lookUpStockOlder",
        summary: "Look up one stock",
        parameters: [stockNameDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [notInDatabase("Unknown"), invalidGet],
      }),
    },
    {
      method: "POST",
      path: "/order",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, orderDialect),
      outage: tradeOutage,
      docs: docs({
        operationId: "placeTradeOlder",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: tradeBodyDocs,
        success: tradeDocs,
        failures: [
          malformedTrade,
          invalidQuantity,
          invalidTradeType,
          notInDatabase("Unknown"),
          insufficientVolume("GameStart"),
          ...commonTradeFailures,
        ],
      }),
    },
    {
      method: "GET",
      path: "/get_order_leader",
      async handle() {
        const leader = await bazaar.cluster().then(
          (cluster) => cluster.leader,
          () => 0,
        );
        return leader === 0 ? noOrderLeader : json({ data: { order_leader: leader } });
      },
      outage: operationsOutage,
      docs: docs({
        operationId: "readLeader",
        alwaysAnswers: true,
        summary: "Which order replica leads",
        success: jsonDocs("The leader's replica id", leaderReply, { data: { order_leader: 3 } }),
        failures: [noOrderLeader],
      }),
    },
    {
      method: "GET",
      path: "/cache_invalid/:name",
      handle(context) {
        bazaar.dropCached(context.req.param("name") ?? "");
        return invalidated;
      },
      outage: lookupOutage,
      docs: docs({
        operationId: "dropCachedStockOlder",
        alwaysAnswers: true,
        summary: "Drop a stock from the cache",
        parameters: [stockNameDocs],
        success: jsonDocs("The cache doesn't hold it now", shortInvalidationReply, invalidation),
        failures: [invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/products/:name",
      handle: (context) => lookupStock(bazaar, context, context.req.param("name") ?? "", () => productNotFound),
      outage: lookupOutage,
      docs: docs({
        operationId: "lookUpProduct",
        summary: "Look up one stock",
        parameters: [stockNameDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [productNotFound, invalidGet],
      }),
    },
    {
      method: "POST",
      path: "/buy",
      handle(context, requestId) {
        const request = context.req.raw;
        if (request.headers.get("content-length") === null) return lengthRequired;
        return placeTrade(deps, request, requestId, purchaseDialect);
      },
      outage: tradeOutage,
      docs: docs({
        operationId: "buyProduct",
        summary: "Buy",
        parameters: [idempotencyKeyDocs],
        body: { schema: purchaseBody, example: { name: "GameStart", quantity: 1 } },
        success: {
          ...jsonDocs("The number of the order, or -1: out of stock", purchaseReply, { data: { order_number: 10 } }),
          headers: ["idempotent-replayed"],
        },
        failures: [
          lengthRequired,
          notJson,
          malformedPurchase,
          invalidQuantity,
          productNotFound,
          ...commonTradeFailures,
        ],
      }),
    },
  ];
}

function docs(about: Omit<RouteDocs, "tag" | "failures"> & { failures?: readonly Failure[] }): RouteDocs {
  return { failures: [], ...about, tag: "Compatibility" };
}

/** An example would be sent by whoever tries the route: not where the parameter makes another route of it. */
function query(name: string, description: string, example?: string): ParameterDocs {
  return { in: "query", name, description, ...(example === undefined ? {} : { example }) };
}
