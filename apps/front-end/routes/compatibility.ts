/**
 * The routes of the systems that this one replaces, so that their clients run unchanged. They do the same as the main
 * routes; only their paths and texts differ.
 */

import type { Bazaar } from "../bazaar.ts";
import {
  cacheOutage,
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
import {
  insufficientVolume,
  invalidationSuccessful,
  lengthRequired,
  noOrderLeader,
  notInDatabase,
  notJson,
  orderNotFound,
  productNotFound,
  purchaseDocs,
  purchaseReplies,
  upperCaseOrder,
} from "../http/older-replies.ts";
import { json, text, textType } from "../http/reply.ts";
import { jsonDocs, type ParameterDocs, type Route, type RouteDocs } from "../http/route.ts";
import {
  leaderReply,
  malformedPurchaseMessage,
  purchaseBody,
  shortInvalidationReply,
  upperCaseOrderReply,
} from "@stock-bazaar/contract/schemas";
import { commonTradeFailures, placeTrade, type TradeWords } from "../http/place-trade.ts";
import {
  idempotencyKeyDocs,
  orderNumberQueryDocs,
  queryOrder,
  tradeAccepted,
  tradeBodyDocs,
  tradeDocs,
  tradeForm,
} from "./orders.ts";
import { ifNoneMatchDocs, lookupDocs, lookupStock, stockNameDocs, stockNameQueryDocs } from "./stocks.ts";

const malformedPurchase = new Failure(400, "INVALID_REQUEST", malformedPurchaseMessage);

/** `POST /order` has its own texts for rejections. */
export const olderTradeWords: TradeWords = {
  form: tradeForm,
  accepted: tradeAccepted,
  rejected: (reason, name) => (reason === "INVALID_STOCKNAME" ? notInDatabase(name) : insufficientVolume(name)),
};

/** `POST /buy` only buys. */
export const purchaseWords: TradeWords = {
  form: {
    schema: purchaseBody,
    typeOf: () => "buy",
    wrongContentType: notJson,
    malformed: malformedPurchase,
    invalid: [invalidQuantity],
  },
  ...purchaseReplies,
};

export function compatibilityRoutes(deps: { readonly bazaar: Bazaar; readonly metrics: Metrics }): Route[] {
  const { bazaar } = deps;
  const invalidated = json(invalidationSuccessful);
  return [
    {
      method: "GET",
      path: "/hello",
      access: "read",
      handle: (context) => text(`Hello, ${context.req.query("name") ?? "user"}!`),
      outage: operationsOutage,
      docs: docs({
        operationId: "greet",
        alwaysAnswers: true,
        summary: "Greet",
        parameters: [query("name", "The name to greet", "user")],
        success: { description: "A greeting", contentType: textType, example: "Hello, user!" },
      }),
    },
    {
      method: "GET",
      path: "/stocks",
      whenQuery: "stockname",
      access: "read",
      handle(context) {
        const name = context.req.query("stockname") ?? "";
        return name === "" ? invalidGet : lookupStock(bazaar, context, name, () => stockNotFound);
      },
      outage: lookupOutage,
      docs: docs({
        summary: "Look up one stock by query",
        parameters: [stockNameQueryDocs, ifNoneMatchDocs],
        success: lookupDocs,
        failures: [stockNotFound, invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/orders",
      whenQuery: "order-number",
      access: "read",
      handle: (context) =>
        queryOrder(bazaar, context.req.query("order-number") ?? "", {
          found: upperCaseOrder,
          notFound: () => orderNotFound,
          malformed: invalidGet,
          takesAnyInteger: true,
        }),
      outage: orderOutage,
      docs: docs({
        summary: "Read one order by query",
        parameters: [orderNumberQueryDocs],
        success: jsonDocs("The order, with its type in upper case", upperCaseOrderReply, {
          data: { number: 1, name: "GameStart", type: "BUY", quantity: 1 },
        }),
        failures: [orderNotFound, invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/stock/:name",
      access: "read",
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
      access: "trade",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, olderTradeWords),
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
      access: "read",
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
      access: "admin",
      handle(context) {
        bazaar.dropCached(context.req.param("name") ?? "");
        return invalidated;
      },
      outage: cacheOutage,
      docs: docs({
        operationId: "dropCachedStockOlder",
        alwaysAnswers: true,
        summary: "Drop a stock from the cache",
        parameters: [stockNameDocs],
        success: jsonDocs("The stock isn't in the cache now", shortInvalidationReply, invalidationSuccessful),
        failures: [invalidGet],
      }),
    },
    {
      method: "GET",
      path: "/products/:name",
      access: "read",
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
      access: "trade",
      handle(context, requestId) {
        const request = context.req.raw;
        if (request.headers.get("content-length") === null) return lengthRequired;
        return placeTrade(deps, request, requestId, purchaseWords);
      },
      outage: tradeOutage,
      docs: docs({
        operationId: "buyProduct",
        summary: "Buy",
        parameters: [idempotencyKeyDocs],
        body: { schema: purchaseBody, example: { name: "GameStart", quantity: 1 } },
        success: purchaseDocs,
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

/** Omit the example if the parameter selects another route: an API viewer would send it by default. */
function query(name: string, description: string, example?: string): ParameterDocs {
  return { in: "query", name, description, ...(example === undefined ? {} : { example }) };
}
