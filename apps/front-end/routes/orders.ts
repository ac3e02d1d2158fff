/** The routes for trades and orders. */

import { replayedHeader } from "@stock-bazaar/contract/headers";
import type { Order, TradeType } from "@stock-bazaar/shared/domain";
import type { Context } from "hono";
import type { Bazaar } from "../bazaar.ts";
import {
  insufficientQuantity,
  invalidGet,
  invalidQuantity,
  invalidTradeType,
  malformedTrade,
  orderNumberNotFound,
  orderOutage,
  stockNotFound,
  tradeOutage,
} from "../http/failures.ts";
import { describeOrder } from "../http/listing.ts";
import type { Metrics } from "../http/metrics.ts";
import { json, jsonType, Reply } from "../http/reply.ts";
import type { TradeForm } from "../http/trade-form.ts";
import { jsonDocs, type ParameterDocs, type Route, type SuccessDocs } from "../http/route.ts";
import {
  idempotencyKey,
  orderNumber,
  orderReply,
  ordersLimitDefault,
  ordersLimitMax,
  ordersQuery,
  ordersReply,
  tradeBody,
  tradeReply,
  tradeTypePattern,
} from "@stock-bazaar/contract/schemas";
import { commonTradeFailures, placeTrade, type TradeWords } from "../http/place-trade.ts";

export const tradeForm: TradeForm = {
  schema: tradeBody,
  typeOf(type) {
    if (type === "buy" || type === "sell") return type;
    return typeof type === "string" && tradeTypePattern.test(type) ? (type.toLowerCase() as TradeType) : undefined;
  },
  wrongContentType: malformedTrade,
  malformed: malformedTrade,
  invalid: [invalidQuantity, invalidTradeType],
};

/** Makes the reply of `POST /orders` to an accepted trade. */
export function tradeAccepted(orderId: number): Reply {
  return new Reply(200, jsonType, `{"data":{"transaction_number":${orderId}}}`);
}

export const tradeWords: TradeWords = {
  form: tradeForm,
  accepted: tradeAccepted,
  rejected: (reason) => (reason === "INVALID_STOCKNAME" ? stockNotFound : insufficientQuantity),
};

/** The replies to a query for one order. */
export interface OrderWords {
  found(order: Order): Reply;
  notFound(text: string): Reply;
  /** The reply to a text that is no order number. */
  readonly malformed: Reply;
  /** Integers below 1 count as numbers that no order has, not as malformed. */
  readonly takesAnyInteger?: boolean;
}

const integerPattern = /^[+-]?\d+$/;

/** Replies with the order whose number is `text`. */
export async function queryOrder(bazaar: Bazaar, text: string, words: OrderWords): Promise<Reply> {
  const id = orderNumber.safeParse(text);
  if (!id.success) return words.takesAnyInteger && integerPattern.test(text) ? words.notFound(text) : words.malformed;
  if (id.data > Number.MAX_SAFE_INTEGER) return words.notFound(text);
  const order = await bazaar.order(id.data);
  return order === undefined ? words.notFound(text) : words.found(order);
}

const orderWords: OrderWords = { found: orderFound, notFound: () => orderNumberNotFound, malformed: invalidGet };

export function orderFound({ id, name, type, quantity }: Order): Reply {
  return json({ data: { number: id, name, type, quantity } });
}

/** Replies with a page of orders. Reads one order more than requested, to find out whether there is a next page. */
export async function listOrders(
  bazaar: Bazaar,
  context: Context,
  describe: (order: Order) => { readonly number: number } = describeOrder,
): Promise<Reply> {
  const query = ordersQuery.safeParse({ limit: context.req.query("limit"), before: context.req.query("before") });
  if (!query.success) return invalidGet;
  const { limit = ordersLimitDefault, before = 0 } = query.data;
  const orders = await bazaar.orders({ before: Math.min(before, Number.MAX_SAFE_INTEGER), limit: limit + 1 });
  const data = orders.slice(0, limit).map(describe);
  const last = data.at(-1);
  return json(orders.length > limit && last !== undefined ? { data, next: last.number } : { data });
}

export const idempotencyKeyDocs: ParameterDocs = {
  in: "header",
  name: "Idempotency-Key",
  description: "Makes a retry safe: the same key always returns the first outcome. Use a new UUID for each trade",
  schema: idempotencyKey,
};

export const orderNumberDocs: ParameterDocs = {
  in: "path",
  name: "number",
  description: "The order's number",
  schema: orderNumber,
  example: 1,
};

export const orderDocs = jsonDocs("The order", orderReply, {
  data: { number: 1, name: "GameStart", type: "buy", quantity: 1 },
});

export const orderNumberQueryDocs: ParameterDocs = {
  in: "query",
  name: "order-number",
  description: "The number of the order to read, instead of a page",
  schema: orderNumber,
};

/** The parameters of a page of orders. */
export const pageDocs: readonly ParameterDocs[] = [
  {
    in: "query",
    name: "limit",
    description: `The largest number of orders: ${ordersLimitDefault} if absent, at most ${ordersLimitMax}`,
    schema: ordersQuery.shape.limit,
    example: 10,
  },
  {
    in: "query",
    name: "before",
    description: "Only orders with a smaller number: the `next` of the previous page",
    schema: ordersQuery.shape.before,
  },
];

/** The failures of a trade that can't be read, in the order of the checks. */
export const tradeFormFailures = [malformedTrade, invalidQuantity, invalidTradeType] as const;

/** An API viewer sends the example by default, so it must work with the initial stocks. */
export const tradeBodyDocs = { schema: tradeBody, example: { name: "GameStart", quantity: 1, type: "buy" } };

export const tradeDocs: SuccessDocs = {
  ...jsonDocs("The trade was accepted; the number of its order", tradeReply, { data: { transaction_number: 10 } }),
  headers: [replayedHeader],
};

export function orderRoutes(deps: { readonly bazaar: Bazaar; readonly metrics: Metrics }): Route[] {
  const { bazaar } = deps;
  return [
    {
      method: "POST",
      path: "/orders",
      access: "trade",
      handle: (context, requestId) => placeTrade(deps, context.req.raw, requestId, tradeWords),
      outage: tradeOutage,
      docs: {
        tag: "Orders",
        operationId: "placeTrade",
        summary: "Buy or sell",
        parameters: [idempotencyKeyDocs],
        body: tradeBodyDocs,
        success: tradeDocs,
        failures: [...tradeFormFailures, stockNotFound, insufficientQuantity, ...commonTradeFailures],
      },
    },
    {
      method: "GET",
      path: "/orders/:number",
      access: "read",
      handle: (context) => queryOrder(bazaar, context.req.param("number") ?? "", orderWords),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "readOrder",
        summary: "Read one order",
        parameters: [orderNumberDocs],
        success: orderDocs,
        failures: [orderNumberNotFound, invalidGet],
      },
    },
    {
      method: "GET",
      path: "/orders",
      access: "read",
      handle: (context) => listOrders(bazaar, context),
      outage: orderOutage,
      docs: {
        tag: "Orders",
        operationId: "listOrders",
        summary: "List orders, newest first",
        parameters: pageDocs,
        success: jsonDocs("A page of orders", ordersReply, {
          data: [
            {
              number: 115,
              name: "GameStart",
              type: "sell",
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
  ];
}
